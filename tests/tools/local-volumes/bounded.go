package main

import (
	"fmt"
	"os"
	"syscall"

	v1 "k8s.io/api/core/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// parameterMedium in a StorageClass asks for volumes that are file systems of their own, in memory and of the size
// their claims ask for: such a volume can be filled, and the kubelet reports its size and not that of the node's disk.
const parameterMedium = "medium"

func bounded(options controller.ProvisionOptions) bool {
	return options.StorageClass.Parameters[parameterMedium] == string(v1.StorageMediumMemory)
}

// mountBounded makes a volume's folder such a file system. Its mode is the folder's: a mount hides the old one.
func mountBounded(path string, options controller.ProvisionOptions) error {
	size := options.PVC.Spec.Resources.Requests[v1.ResourceStorage]
	settings := fmt.Sprintf("size=%d,mode=0777", size.Value())
	if err := syscall.Mount("tmpfs", path, "tmpfs", 0, settings); err != nil {
		return fmt.Errorf("mount a file system of %s at %s: %w", size.String(), path, err)
	}
	return nil
}

// unmountBounded ends the file system at a volume's folder; a folder that is none stays as it is.
func unmountBounded(path string) error {
	err := syscall.Unmount(path, 0)
	if err == nil || err == syscall.EINVAL || os.IsNotExist(err) { // EINVAL: nothing is mounted there
		return nil
	}
	return fmt.Errorf("unmount %s: %w", path, err)
}

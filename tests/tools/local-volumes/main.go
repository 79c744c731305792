// Command local-volumes provisions PersistentVolumes of the kind `local` on the one node it runs on: a folder per
// claim under a root folder. `local` and not `hostPath`, because the kubelet applies fsGroup to the first alone.
// Volumes of a StorageClass with the parameter medium: Memory are file systems of their claims' sizes instead.
// It also grows claims (a folder has no size, so growing is a matter of record), which the StorageClass can
// therefore promise with allowVolumeExpansion.
//
// Usage: local-volumes -kubeconfig FILE -root FOLDER -node NAME [-provisioner NAME]
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

type provisioner struct {
	root string
	node string
}

// Provision makes the claim's folder. 0777, as a fresh file system's root would be handed to any pod; fsGroup narrows it.
func (p *provisioner) Provision(_ context.Context, options controller.ProvisionOptions) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	if options.SelectedNodeName != "" && options.SelectedNodeName != p.node {
		return nil, controller.ProvisioningFinished, fmt.Errorf("node %s is not the node %s whose disk this provisioner serves", options.SelectedNodeName, p.node)
	}
	path := filepath.Join(p.root, options.PVName)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	if err := os.Chmod(path, 0o777); err != nil { // MkdirAll is subject to the umask
		return nil, controller.ProvisioningFinished, err
	}
	if bounded(options) {
		if err := mountBounded(path, options); err != nil {
			return nil, controller.ProvisioningFinished, err
		}
	}
	return volume(options, path, p.node), controller.ProvisioningFinished, nil
}

func volume(options controller.ProvisionOptions, path, node string) *v1.PersistentVolume {
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: v1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			AccessModes:                   options.PVC.Spec.AccessModes,
			VolumeMode:                    options.PVC.Spec.VolumeMode,
			Capacity:                      v1.ResourceList{v1.ResourceStorage: options.PVC.Spec.Resources.Requests[v1.ResourceStorage]},
			PersistentVolumeSource:        v1.PersistentVolumeSource{Local: &v1.LocalVolumeSource{Path: path}},
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{
				MatchExpressions: []v1.NodeSelectorRequirement{{Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{node}}},
			}}}},
		},
	}
}

// Delete removes the volume's folder, and only ever a folder directly under the root.
func (p *provisioner) Delete(_ context.Context, volume *v1.PersistentVolume) error {
	if volume.Spec.Local == nil || filepath.Dir(volume.Spec.Local.Path) != filepath.Clean(p.root) {
		return &controller.IgnoredError{Reason: "the volume " + volume.Name + " lies outside " + p.root}
	}
	if err := unmountBounded(volume.Spec.Local.Path); err != nil {
		return err
	}
	return os.RemoveAll(volume.Spec.Local.Path)
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig file of a user that may manage volumes and claims")
	root := flag.String("root", "", "folder that holds one folder per volume")
	node := flag.String("node", "", "name of the node whose disk the root folder lies on")
	name := flag.String("provisioner", "sergas.com/local-volumes", "provisioner name, as the StorageClass writes it")
	flag.Parse()
	if *kubeconfig == "" || *root == "" || *node == "" {
		log.Fatal("local-volumes: give -kubeconfig, -root and -node")
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatalf("local-volumes: read -kubeconfig: %v", err)
	}
	client := kubernetes.NewForConfigOrDie(config)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	go grow(ctx, client, *name)
	controller.NewProvisionController(ctx, client, *name, &provisioner{root: *root, node: *node},
		controller.LeaderElection(false)).Run(ctx)
}

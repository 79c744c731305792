package main

import (
	"context"
	"log"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/retry"
)

const provisionedBy = "pv.kubernetes.io/provisioned-by"

// grow follows bound claims and, when one asks for more than it has, records the new size on its volume and then on
// the claim, in that order: a claim must never show more than its volume has.
func grow(ctx context.Context, client kubernetes.Interface, provisionerName string) {
	factory := informers.NewSharedInformerFactory(client, 0)
	handle := func(object any) {
		claim, ok := object.(*v1.PersistentVolumeClaim)
		if !ok || claim.Status.Phase != v1.ClaimBound || !wantsMore(claim) {
			return
		}
		if err := growClaim(ctx, client, claim, provisionerName); err != nil {
			log.Printf("grow claim %s/%s: %v", claim.Namespace, claim.Name, err)
		}
	}
	_, err := factory.Core().V1().PersistentVolumeClaims().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    handle,
		UpdateFunc: func(_, object any) { handle(object) },
	})
	if err != nil {
		log.Fatalf("local-volumes: follow claims: %v", err)
	}
	factory.Start(ctx.Done())
}

func wantsMore(claim *v1.PersistentVolumeClaim) bool {
	wanted, has := claim.Spec.Resources.Requests[v1.ResourceStorage], claim.Status.Capacity[v1.ResourceStorage]
	return wanted.Cmp(has) > 0
}

func growClaim(ctx context.Context, client kubernetes.Interface, claim *v1.PersistentVolumeClaim, provisionerName string) error {
	size := claim.Spec.Resources.Requests[v1.ResourceStorage]
	volumes, claims := client.CoreV1().PersistentVolumes(), client.CoreV1().PersistentVolumeClaims(claim.Namespace)
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		volume, err := volumes.Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
		if err != nil || volume.Annotations[provisionedBy] != provisionerName {
			return err
		}
		volume.Spec.Capacity[v1.ResourceStorage] = size
		if _, err = volumes.Update(ctx, volume, metav1.UpdateOptions{}); err != nil {
			return err
		}
		current, err := claims.Get(ctx, claim.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		current.Status.Capacity[v1.ResourceStorage] = size
		_, err = claims.UpdateStatus(ctx, current, metav1.UpdateOptions{})
		return err
	})
}

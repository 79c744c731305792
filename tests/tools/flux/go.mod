// The versions of Flux whose CRDs manifests/flux is checked against. Nothing is built from this module.
module sergas.com/tools/flux

go 1.26.0

require (
	github.com/fluxcd/helm-controller v1.4.0
	github.com/fluxcd/kustomize-controller v1.7.3
	github.com/fluxcd/source-controller v1.7.3
)

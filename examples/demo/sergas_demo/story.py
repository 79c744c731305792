"""The demo from top to bottom."""

from sergas_demo.change import REPLICAS, RETENTION, grow
from sergas_demo.incident import break_application, follow_alert, follow_resolution, mend_application, watch_traffic
from sergas_demo.install import apply_monitoring, build_images, install_chart, start_application, start_cluster
from sergas_demo.places import DEMO_NAMESPACE, NAME, NAMESPACE
from sergas_demo.stage import Step

_OPERATOR_LOG = f"kubectl -n {NAMESPACE} logs deploy/sergas-operator --tail=50"
_RESOURCE = f"kubectl -n {NAMESPACE} describe sergasmon {NAME}"
_PODS = f"kubectl -n {NAMESPACE} get pods,pvc"
_ARRIVED = f"kubectl get --raw /api/v1/namespaces/{DEMO_NAMESPACE}/services/sink:http/proxy/notifications"
_REFUSED = f"kubectl get --raw /api/v1/namespaces/{DEMO_NAMESPACE}/services/sink:http/proxy/rejections"
_SENT = f"kubectl -n {NAMESPACE} logs -l alertmanager={NAME} -c alertmanager --tail=50"
_APP = f"kubectl -n {DEMO_NAMESPACE} describe pods"

STORY = (
    Step("Start a cluster", start_cluster, ("python tests/e2e/cluster status",)),
    Step("Build and load the images", build_images, ("python tests/e2e/cluster images",)),
    Step("Install the chart", install_chart, (f"kubectl -n {NAMESPACE} describe pods", _OPERATOR_LOG)),
    Step("Start the application and the receivers' far end", start_application, (_APP,)),
    Step("Apply a SergasMonitoring", apply_monitoring, (_RESOURCE, _PODS, _OPERATOR_LOG)),
    Step("See traffic in Prometheus", watch_traffic, (_APP, _PODS, f"kubectl -n {NAMESPACE} get servicemonitors")),
    Step("Break the application", break_application, (_APP, f"kubectl -n {NAMESPACE} get prometheusrules")),
    Step("Follow the critical alert", follow_alert, (_SENT, _REFUSED, _RESOURCE)),
    Step("Mend the application", mend_application, (_APP,)),
    Step("Follow the resolution", follow_resolution, (_SENT, _ARRIVED, _REFUSED)),
    Step(f"Change retention to {RETENTION}, replicas to {REPLICAS}", grow, (_RESOURCE, _PODS, _OPERATOR_LOG)),
)

NEXT = (
    ("the resource and its conditions", f"kubectl -n {NAMESPACE} get sergasmon; {_RESOURCE}"),
    ("every notification that arrived", _ARRIVED),
    # Through the Service it may be the third replica, which has only just come up and saw nothing of the fault.
    ("Prometheus on localhost:9090", f"kubectl -n {NAMESPACE} port-forward pod/prometheus-{NAME}-0 9090"),
    ("then every dashboard as a picture, in build/preview", "make preview PROMETHEUS=http://localhost:9090 LAST=10m"),
    ("Alertmanager on localhost:9093", f"kubectl -n {NAMESPACE} port-forward svc/{NAME}-alertmanager 9093"),
    ("what the operator did", _OPERATOR_LOG),
    ("remove what the demo made", "make demo-down"),
    ("remove the cluster", "make cluster-down"),
)
"""Where to look when the demo has ended."""

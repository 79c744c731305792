"""python tests/e2e/cluster <verb>: the cluster that tests and the demo run on. `--help` lists the verbs."""

import sys

from sergas_cluster.commandline import main

sys.exit(main(sys.argv[1:]))

"""The one error a user of the cluster command sees."""


class ClusterError(Exception):
    """Something the user can put right; the message says what is wrong and what to type next."""

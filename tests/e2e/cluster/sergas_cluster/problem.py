"""The one error a user of the cluster command sees."""


class Problem(Exception):
    """Something the user can put right; the message says what is wrong and what to type next."""

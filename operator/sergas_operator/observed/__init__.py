"""What exists and what runs, as read from the API server and from the pods."""

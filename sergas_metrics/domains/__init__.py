"""What each part of the application records, in words of that part."""

"""How good detections are: average precision, confusion, features; and pictures of it."""

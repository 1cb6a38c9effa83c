"""Datasets: from annotations to the databases that nets are trained on, and back."""

"""The kernel: the published language that the six contexts share. It imports none of them."""

"""Use cases on people, their accounts and follows."""

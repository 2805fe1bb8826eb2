"""Webhooks: what is to be told, to whom, signed how, and whether it arrived."""

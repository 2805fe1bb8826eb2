"""The admin API below `/__admin`: described by `openapi/admin.yaml`, one module for each noun.

With `Authorization: Bearer KEY` a call acts on that key's organization, without it on the whole
server.
"""

"""The contract: what an OpenAPI document says, made fit to route, permit, coerce and judge by."""

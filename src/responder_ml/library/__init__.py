"""The public Python API: what the commands do, called from a script or a notebook; see `responder_ml`."""

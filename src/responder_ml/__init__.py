"""responder_ml: is there evidence in brain-region expression that responders differ from non-responders?"""

from importlib.metadata import version

__version__ = version("responder-ml")

"""How the site is built: `make docs`."""

from responder_ml import __version__

project = "responder_ml"
author = "responder_ml developers"
version = release = __version__
copyright = author

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_nb"]
exclude_patterns = ["_build", "scripts"]
html_theme = "furo"
html_title = project
html_extra_path = ["result.schema.json", "job.schema.json"]
html_copy_source = False
html_show_sphinx = False

# A class's parameters stand in its own docstring; annotations say the rest.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": False}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_execution_show_tb = True
# Needs the real data beside the project; its outputs are kept in the file.
nb_execution_excludepatterns = ["notebooks/real_cohort.ipynb"]
nb_merge_streams = True

"""``python -m responder_ml``."""

from responder_ml.cli import main

if __name__ == "__main__":
    main()

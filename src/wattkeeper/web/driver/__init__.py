"""The driver's pages: an installable web app under ``/app/``."""

"""The service as a plain WSGI application, for any server: `consent_track.wsgi:app`, configured by the environment."""

import os

from consent_track.bootstrap import bootstrap
from consent_track.config import load_config
from consent_track.web import create_app

app = create_app(bootstrap(load_config(os.environ)))

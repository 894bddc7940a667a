"""The web door: pages for recipients, health for operators, and in front of both the collector."""

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from consent_track.bootstrap import Runtime
from consent_track.collector.app import Collector

from . import current, headers, health, look, portal, problems, wellknown
from .portal.visit import isolated

# A form of ours has a few short fields; a one-click POST has one (RFC 8058). Octets.
LARGEST_REQUEST = 16 * 1024


def create_app(runtime: Runtime) -> Flask:
    """The WSGI application of an installation; nothing is opened, started or scheduled here."""
    app = Flask(__name__, static_url_path="/static")
    app.config.update(
        SECRET_KEY=runtime.keys.session.secret,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        TRUSTED_HOSTS=sorted(runtime.config.trusted_hosts),
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_SSL_STRICT=True,
    )
    current.attach(app, runtime)
    csrf = CSRFProtect(app)
    app.jinja_env.globals["isolated"] = isolated
    for blueprint in (portal.pages, health.pages, look.pages, wellknown.pages):
        app.register_blueprint(blueprint)
    # The token in the path is the capability, and RFC 8058 section 3.2 forbids to ask for more: no cookie, no context.
    csrf.exempt(portal.pages)
    headers.attach(app, https=runtime.config.public_url.startswith("https:"))
    problems.attach(app)
    app.wsgi_app = Collector(app.wsgi_app, runtime.collector())  # type: ignore[method-assign]
    return app

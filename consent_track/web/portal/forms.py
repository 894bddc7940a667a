"""The two forms of the recipient's pages. What is not named here is neither read nor kept (WD-07)."""

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import AnyOf, InputRequired

from consent_track.activities.consenting import EVERYTHING


class _Capability(FlaskForm):  # type: ignore[misc] # the library has no types
    """The token in the path is the capability: whoever holds the link may press; a stranger has no link."""

    class Meta:
        csrf = False


class OffForm(_Capability):
    """What to end: `all`, `mail`, or one purpose."""

    off = StringField(validators=[InputRequired(), AnyOf(["all", "mail", *sorted(EVERYTHING)])])


class UnsubscribeForm(_Capability):
    """One button, no field."""

"""The forms of the recipient's pages. What is not named here is neither read nor kept (WD-07)."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, SelectMultipleField, StringField
from wtforms.validators import AnyOf, InputRequired, Length, Optional, ValidationError

from consent_track.activities.confirming import Kind
from consent_track.activities.consenting import EVERYTHING
from consent_track.activities.requesting import LONGEST_TEXT
from consent_track.domain.rights import Right
from consent_track.domain.vocabulary import INDIVIDUAL

LONGEST = 254  # RFC 5321 4.5.3.1.3, less the angle brackets


class _Capability(FlaskForm):  # type: ignore[misc] # the library has no types
    """The token in the path is the capability: whoever holds the link may press; a stranger has no link."""

    class Meta:
        csrf = False


class ChoiceForm(_Capability):
    """What to end (`all`, `mail`, or one purpose), what to allow, or to see what is held: exactly one of the three."""

    off = StringField(validators=[Optional(), AnyOf(["all", "mail", *sorted(EVERYTHING)])])
    on = SelectMultipleField(choices=sorted(INDIVIDUAL))
    see = StringField(validators=[Optional(), AnyOf(["all"])])

    def validate(self, extra_validators: Any = None) -> bool:
        chosen = [field for field in (self.off, self.on, self.see) if field.data]
        return bool(super().validate(extra_validators)) and len(chosen) == 1


class PrivacyForm(_Capability):
    """An address, and what to do about it. Nothing is known about whoever sends it, so no cookie guards it."""

    email = StringField(validators=[InputRequired(), Length(max=LONGEST)])
    do = StringField(validators=[InputRequired(), AnyOf([Kind.LINK.value, Kind.REFUSAL.value])])


class RequestForm(_Capability):
    """A right, an address, and words where a person has to read them. No file: no document is ever asked for."""

    right = StringField(validators=[InputRequired(), AnyOf(sorted(Right))])
    email = StringField(validators=[InputRequired(), Length(max=LONGEST)])
    wrote = StringField(validators=[Length(max=LONGEST_TEXT)])


class ConsentForm(_Capability):
    """The consent form, ours or embedded. It grants nothing: the mail that follows does."""

    email = StringField(validators=[Length(max=LONGEST)])
    answer = StringField(validators=[InputRequired(), AnyOf(["all", "ticked", "none"])])
    purpose = SelectMultipleField(choices=sorted(INDIVIDUAL))
    mail = StringField(validators=[Optional(), AnyOf(["yes"])])
    variant = StringField(validators=[Optional(), AnyOf(["mail", "bundled"])])
    locale = StringField(validators=[Length(max=35)])
    jurisdiction = StringField(validators=[Length(max=8)])
    wording = StringField(validators=[Length(max=64)])

    def validate_email(self, field: Field) -> None:
        if self.answer.data != "none" and not field.data:
            raise ValidationError("is needed")


class VerifyForm(_Capability):
    """What is pressed on the page behind the link of a mail; `page` is that page's mark."""

    answer = StringField(validators=[InputRequired(), AnyOf(["yes", "no", "show", "again", "close"])])
    page = StringField(validators=[Length(max=80)])
    declared = StringField(validators=[Optional(), AnyOf(["yes"])])

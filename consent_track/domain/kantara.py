"""The same receipt in the fields of the Kantara Consent Receipt 1.1, for tools that read that older form (RE-04).

A view, not a second record: it is made from the receipt, and what is signed is the receipt.
"""

from typing import Any, Final

from . import terms
from .receipt import ENDINGS, Receipt, Told
from .vocabulary import Act, Purpose, Status

VERSION: Final = "KI-CR-v1.1.0"


def view(receipt: Receipt, told: Told, public_key: str) -> dict[str, Any]:
    """The receipt as a Kantara consent receipt. `consentTimestamp` is in seconds, as that form asks."""
    first, controller = receipt.events[0], receipt.controller
    return {
        "version": VERSION,
        "jurisdiction": first["jurisdiction"],
        "consentTimestamp": receipt.at,
        "collectionMethod": first["method"],
        "consentReceiptID": receipt.number,
        "publicKey": public_key,
        "language": receipt.locale or controller.default_locale,
        "piiPrincipalId": receipt.whose,
        "piiControllers": [
            {
                "piiController": controller.name,
                "contact": controller.contact,
                "address": {"streetAddress": controller.postal_address},
                "email": controller.contact,
                "phone": "",  # we ask controllers for no number; the form wants the field
                "onBehalf": False,
            }
        ],
        "policyUrl": controller.privacy_policy,
        "services": [
            {"service": f"Emails of {controller.name}", "purposes": [_purpose(e, told) for e in receipt.events]}
        ],
        "sensitive": False,
        "spiCat": [],
    }


def _purpose(event: Any, told: Told) -> dict[str, Any]:
    act, purpose = Act(event["act"]), Purpose(event["purpose"]) if event["purpose"] else None
    otherwise = terms.MAIL_TERMS if act is Act.MAIL else terms.MEASURED_TERMS
    ended = Status(event["status"]) in ENDINGS
    return {
        "purpose": purpose.value if purpose else act.value,
        "purposeCategory": [terms.PURPOSE_TERMS[purpose] if purpose else terms.ACT_PURPOSES[act]],
        "consentType": event["status"].upper() if ended else "EXPLICIT",
        "piiCategory": list(terms.DATA_TERMS.get(purpose, otherwise) if purpose else otherwise),
        "primaryPurpose": act is Act.MAIL,
        "termination": f"{told.public_url}/privacy",
        "thirdPartyDisclosure": bool(told.recipients),
        "thirdPartyName": ", ".join(told.recipients),
    }

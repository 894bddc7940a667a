"""Signatures as the specification of Standard Webhooks has them, and secrets that are changed without a gap."""

import base64

import pytest

from consent_track.crm.webhook import read_secrets, signed
from consent_track.domain.errors import InputRefused

# The example of the specification and of its reference libraries.
SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
BODY = b'{"test": 2432232314}'


def test_the_vector_of_the_reference_libraries():
    assert signed("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY, [SECRET]) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_two_secrets_sign_while_one_is_changed_for_the_other():
    fields = signed("msg_1", 1, BODY, [b"n" * 32, SECRET])
    assert len(fields["webhook-signature"].split()) == 2
    assert fields["webhook-signature"].split()[1] == signed("msg_1", 1, BODY, [SECRET])["webhook-signature"]


def test_secrets_are_read_the_newest_first(tmp_path):
    new = base64.b64encode(b"n" * 32).decode()
    path = tmp_path / "crm.secret"
    path.write_text(f"whsec_{new}\nwhsec_{base64.b64encode(SECRET).decode()}\n")
    assert read_secrets(path) == (b"n" * 32, SECRET)


@pytest.mark.parametrize("text", ["", "changeme", "whsec_", "whsec_QUJD", "whsec_???", "whsec_" + "A" * 200])
def test_what_is_no_secret_is_refused_by_the_files_name(tmp_path, text):
    path = tmp_path / "crm.secret"
    path.write_text(text)
    with pytest.raises(InputRefused) as refused:
        read_secrets(path)
    assert str(path) in str(refused.value)
    assert not text or text not in str(refused.value).replace(str(path), "").replace("whsec_…", "")

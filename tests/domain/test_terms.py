"""Every word of ours has a term of the Data Privacy Vocabulary, and every term is one that the vocabulary has."""

import pytest

from consent_track.domain import terms
from consent_track.domain.policy import Requirement
from consent_track.domain.vocabulary import Act, Grade, Purpose, Status

# As the W3C Data Privacy Vocabulary 2.3 lists them; a term that is not here was not looked up.
DPV = frozenset(
    """ConsentUnknown ConsentRequested ConsentRequestDeferred ConsentGiven RenewedConsentGiven ConsentRefused
    ConsentWithdrawn ConsentStatusInvalidForProcessing ConsentExpired ConsentRevoked ConsentInvalidated EnforceSecurity
    OptimisationForController LegalCompliance Personalisation DirectMarketing CustomerRelationshipManagement
    FraudPreventionAndDetection Use Record ExpressedConsent LegitimateInterestOfController LegalBasis Prohibition
    DataSubject DataController""".split()
)
TABLES = [
    (terms.STATUS_TERMS, Status),
    (terms.PURPOSE_TERMS, Purpose),
    (terms.ACT_TERMS, Act),
    (terms.ACT_PURPOSES, Act),
    (terms.BASIS_TERMS, Requirement),
    (terms.GRADE_TERMS, Grade),
]


@pytest.mark.law("ST-10")
@pytest.mark.parametrize(("table", "words"), TABLES)
def test_every_word_has_its_term(table, words):
    assert set(table) == set(words)
    for term in table.values():
        prefix, _, name = term.partition(":")
        assert prefix in terms.CONTEXT
        assert name in DPV or prefix == "consent-track"


@pytest.mark.law("WD-09")
def test_the_states_that_grant_are_the_valid_ones_of_the_vocabulary():
    valid = {
        status for status, term in terms.STATUS_TERMS.items() if term in ("dpv:ConsentGiven", "dpv:RenewedConsentGiven")
    }
    assert valid == {Status.GIVEN, Status.RENEWED}


BASES = [
    ("FR", "eu-gdpr:A6-1-a", "loc:FR"),
    ("DE", "eu-gdpr:A6-1-a", "loc:DE"),
    ("ZZ", "eu-gdpr:A6-1-a", "consent-track:unknown-jurisdiction"),
    ("GB", "dpv:ExpressedConsent", "loc:GB"),
    ("US-CA", "dpv:ExpressedConsent", "loc:US-CA"),
    ("US-OTHER", "dpv:ExpressedConsent", "loc:US"),
]


@pytest.mark.parametrize(("jurisdiction", "basis", "place"), BASES)
def test_a_basis_is_named_by_its_article_where_that_law_holds(jurisdiction, basis, place):
    assert terms.consent_basis(jurisdiction) == basis
    assert terms.place(jurisdiction) == place

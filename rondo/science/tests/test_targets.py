"""Propensity, look-alikes and matched controls: known truths found again, and honest where there is nothing."""

import json

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import brier_score_loss, roc_auc_score

from rondo.errors import InputError
from rondo.science import lookalikes, matching, propensity
from rondo.science._checks import FloatArray
from rondo.science.discrimination import auc, calibrate, top_lift
from rondo.science.features import Features, Scaling

NAMES = ("spend", "visits", "noise", "gap")


def people(size: int, seed: int) -> tuple[Features, FloatArray]:
    """Customers with heavy-tailed features, one of them without meaning, and their true log odds of an answer."""
    rng = np.random.default_rng(seed)
    values = np.column_stack(
        [rng.lognormal(5, 1.5, size), rng.poisson(8, size), rng.normal(0, 9, size), rng.gamma(2, 9, size)]
    )
    values[rng.random(size) < 0.1, 3] = np.nan
    drawn = np.log1p(values[:, 0]), np.log1p(values[:, 1])
    return Features(NAMES, values), -9.0 + 1.0 * drawn[0] + 1.2 * drawn[1]


def answered(size: int, seed: int) -> tuple[Features, np.ndarray, FloatArray]:
    features, logit = people(size, seed)
    return features, np.random.default_rng(seed + 1).random(size) < expit(logit), expit(logit)


def test_auc_and_brier_equal_those_of_scikit_learn_with_ties() -> None:
    rng = np.random.default_rng(2)
    did = rng.random(400) < 0.3
    score = np.round(rng.random(400) * 0.5 + did * 0.2, 1)
    assert auc(did, score).value == pytest.approx(roc_auc_score(did, score))
    assert calibrate(did, score).brier == pytest.approx(brier_score_loss(did, score))


def test_noise_in_the_last_bits_breaks_no_ties() -> None:
    rng = np.random.default_rng(5)
    did = rng.random(3_000) < 0.4
    score = rng.integers(1, 9, 3_000) / 9
    noisy = score * (1 + rng.normal(0, 2e-16, 3_000))
    assert len(set(noisy.tolist())) > 8
    assert auc(did, noisy) == auc(did, score)
    assert len(calibrate(did, noisy).bins) == len(calibrate(did, score).bins)
    assert top_lift(did, noisy) == top_lift(did, score)


def test_the_interval_of_the_area_covers_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    truth = 0.7602  # P(N(1, 1) > N(0, 1)): the normal distribution function at 1 over the root of 2
    covered = 0
    for _turn in range(400):
        did = np.arange(150) < 50
        found = auc(did, rng.normal(did.astype(float), 1))
        covered += found.low <= truth <= found.high
    assert 0.86 < covered / 400 < 0.94


def test_bins_hold_all_customers_and_their_outcomes() -> None:
    rng = np.random.default_rng(4)
    p = np.round(rng.random(1_000) ** 3, 2)
    did = rng.random(1_000) < p
    found = calibrate(did, p)
    assert sum(row.customers for row in found.bins) == 1_000
    assert sum(row.customers * row.expected for row in found.bins) == pytest.approx(found.expected)
    assert round(sum(row.customers * row.share for row in found.bins)) == found.happened == did.sum()
    assert [row.expected for row in found.bins] == sorted(row.expected for row in found.bins)
    assert sum(row.low <= row.expected <= row.high for row in found.bins) >= 0.8 * len(found.bins)


def test_lift_of_a_perfect_order_is_the_most_there_can_be() -> None:
    did = np.arange(100) < 20
    assert top_lift(did, did.astype(float)) == pytest.approx(5)
    assert top_lift(did, np.zeros(100), top=1) == pytest.approx(1)


def test_scaling_fills_what_is_not_known_and_ignores_what_does_not_vary() -> None:
    features = Features(("a", "b", "c"), np.array([[1.0, 7.0, np.nan], [np.nan, 7.0, np.nan], [1e300, 7.0, np.nan]]))
    scores = Scaling.of(features).scores(features)
    assert scores[1, 0] == 0 and np.abs(scores[:, 1:]).max() == 0 and scores[2, 0] == pytest.approx(-scores[0, 0])
    again = Scaling.from_dict(json.loads(json.dumps(Scaling.of(features).to_dict())))
    np.testing.assert_array_equal(again.scores(features), scores)


def test_a_fit_recovers_the_truth_and_is_calibrated_on_others() -> None:
    features, did, _truth = answered(6_000, 10)
    others, later, truth = answered(6_000, 20)
    model = propensity.fit(features, did, np.arange(6_000) % 3)
    promised = model.probability(others)
    assert np.corrcoef(promised, truth)[0, 1] > 0.99
    assert auc(later, promised).value > auc(later, truth).value - 0.005
    found = calibrate(later, promised)
    assert found.expected == pytest.approx(found.happened, rel=0.06)
    assert sum(row.low <= row.expected <= row.high for row in found.bins) >= 7
    strength = dict(zip(NAMES, np.abs(model.weights), strict=True))
    assert min(strength["spend"], strength["visits"]) > 10 * max(strength["noise"], strength["gap"])


def test_contributions_add_up_to_the_log_odds() -> None:
    features, did, _truth = answered(500, 30)
    model = propensity.fit(features, did)
    np.testing.assert_allclose(model.contributions(features).sum(axis=1) + model.intercept, model.logit(features))
    assert json.dumps(model.describe())


def test_a_fit_does_not_depend_on_when_it_is_made() -> None:
    features, did, _truth = answered(500, 31)
    one, two = propensity.fit(features, did), propensity.fit(features, did)
    np.testing.assert_array_equal(one.weights, two.weights)


def test_without_signal_no_forecast_is_sold() -> None:
    features, _did, _truth = answered(400, 40)
    did = np.random.default_rng(41).random(400) < 0.5
    try:
        model = propensity.fit(features, did)
    except InputError as error:
        assert "no signal" in str(error)
    else:
        assert model.cross_auc.low < 0.5 or model.cross.brier > 0.98 * model.cross.brier_base


def test_twins_of_a_seed_come_out_first() -> None:
    features, did, _truth = answered(5_000, 50)
    rng = np.random.default_rng(99)
    seed = did & (rng.random(5_000) < 0.5)
    found = lookalikes.rank_by_resemblance(features, seed)
    outside = ~seed
    reached = auc(did[outside], found.score[outside])
    best = auc(did[outside], _truth[outside])
    assert reached.value > best.value - 0.01
    # Others of the same kind are among those it is compared with, and half of them stand above any twin.
    alike = did[outside].mean()
    assert found.found.value == pytest.approx((1 - alike) * reached.value + alike / 2, abs=0.03)
    assert found.found.low < found.found.value < found.found.high and found.found.positives == seed.sum()
    assert 1 - found.places.mean() == pytest.approx(found.found.value)
    assert found.reach(0.1) < found.reach(0.3) < found.reach(1.0) == 1.0
    assert sorted(found.rank[outside].tolist()) == list(range(1, int(outside.sum()) + 1)) and not found.rank[seed].any()
    closest = int(np.flatnonzero(found.rank == 1)[0])
    assert {name for name, _part in found.reasons(features.rows([closest]))[0]} <= {"spend", "visits", "gap", "noise"}
    assert found.reasons(features.rows([closest]))[0][0][0] in {"spend", "visits"}


def test_a_seed_drawn_at_random_has_no_twins() -> None:
    features, _did, _truth = answered(3_000, 51)
    held = 0
    for turn in range(10):
        seed = np.random.default_rng(turn).random(3_000) < 0.05
        found = lookalikes.rank_by_resemblance(features, seed, lookalikes.LookalikeConfig(penalties=(0.01,)))
        held += found.found.low <= 0.5 <= found.found.high
    assert held >= 7


def test_progress_is_told_up_to_the_end() -> None:
    features, did, _truth = answered(600, 52)
    told: list[tuple[int, int]] = []
    lookalikes.rank_by_resemblance(features, did, progress=lambda done, fits: told.append((done, fits)))
    assert told[-1][0] == told[-1][1] and [done for done, _fits in told] == sorted(done for done, _fits in told)


def test_matching_removes_the_difference_that_selection_made() -> None:
    features, treated, _truth = answered(4_000, 60)
    found = matching.match(features, treated)
    assert len(found.warnings) == 0 and max(abs(row.before) for row in found.balance) > 0.5
    assert len(set(found.control.tolist())) == found.control.size
    assert treated[found.treated].all() and not treated[found.control].any()
    assert found.treated.size + found.unmatched.size == treated.sum()


def test_each_treated_customer_gets_the_nearest_control_that_is_free() -> None:
    rng = np.random.default_rng(7)
    logit = np.round(rng.normal(size=200), 2)
    treated = np.arange(200) < 70
    pool = np.flatnonzero(~treated)
    pool = pool[np.argsort(logit[pool], kind="stable")]
    rows = rng.permutation(70)
    chosen, partner = matching._pair(rows, logit, pool, 0.3)
    free = set(pool.tolist())
    pairs = dict(zip(chosen.tolist(), partner.tolist(), strict=True))
    for row in rows.tolist():
        nearest = min((abs(logit[one] - logit[row]) for one in free), default=np.inf)
        assert (row in pairs) == (nearest <= 0.3)
        if row in pairs:
            assert abs(logit[pairs[row]] - logit[row]) == nearest
            free.remove(pairs[row])


def test_where_no_control_is_alike_it_warns() -> None:
    rng = np.random.default_rng(8)
    treated = np.arange(300) < 100
    values = rng.normal(size=(300, 2)) + np.where(treated, 1.2, 0)[:, None] * np.array([1.0, 0.0])
    found = matching.match(Features(("far", "near"), np.exp(values)), treated, caliper=50)
    assert found.warnings and found.warnings[0] == "far"


def test_groups_drawn_by_lot_are_alike_and_warn_of_nothing() -> None:
    """A/A: with 800 members a feature of groups drawn by lot differs by a tenth of a deviation once in 20 before
    matching; after it hardly ever."""
    before, after = [], []
    for turn in range(12):
        features, _logit = people(4_000, 70 + turn)
        found = matching.match(features, np.random.default_rng(turn).random(4_000) < 0.2)
        before += [abs(row.before) >= matching.BALANCED_BELOW for row in found.balance]
        after += [not row.balanced for row in found.balance]
        assert found.unmatched.size <= 8
    assert np.mean(before) <= 0.1 and np.mean(after) <= 0.05


def test_the_warning_names_what_differs_first_and_little_else() -> None:
    """Where there are more members than others, those of one kind find no like: that feature is named, and of the
    twelve others hardly one (the odds of a tenth of a deviation among 800 pairs by lot are 1 in 20)."""
    rng, others = np.random.default_rng(9), 0
    for turn in range(4):
        values = rng.normal(size=(2_000, 4))
        treated = np.arange(2_000) < 1_200
        values[treated, turn] += 0.6
        found = matching.match(Features(("a", "b", "c", "d"), np.exp(values)), treated, caliper=50)
        assert found.warnings[0] == "abcd"[turn]
        others += len(found.warnings) - 1
        row = found.balance[0]
        drawn = np.log1p(np.exp(values[:, turn]))
        spread = np.sqrt((drawn[treated].var(ddof=1) + drawn[~treated].var(ddof=1)) / 2)
        assert row.after == pytest.approx(
            (drawn[found.treated].mean() - drawn[found.control].mean()) / spread, abs=0.02
        )
    assert others <= 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: propensity.fit(f, np.arange(50) < 3), "3 did and 47 did not"),
        (lambda f: propensity.fit(f, np.zeros(7)), r"outcome: \(7,\)"),
        (lambda f: propensity.fit(f, np.arange(50) < 25, np.zeros(3)), r"occasion: \(3,\)"),
        (lambda f: lookalikes.rank_by_resemblance(f, np.arange(50) < 2), "seed: 2 customers inside"),
        (lambda f: matching.match(f, np.arange(50) < 2), "treated: 2 of 50"),
        (lambda f: matching.match(f, np.arange(50) < 25, caliper=0), "caliper: 0"),
        (lambda f: Features(("a", "a", "b", "c"), f.values), "'a' is named twice"),
        (lambda f: Features(("a",), f.values), "does not go with 1 names"),
        (lambda f: Features(NAMES, np.full((3, 4), np.inf)), "column spend: has an infinite value"),
        (
            lambda f: Scaling.of(f).scores(Features(("x", *NAMES[1:]), f.values)),
            "differ from those of the fit in spend, x",
        ),
        (lambda f: auc([True], [0.3]), "both are needed"),
        (lambda f: calibrate([True], [1.3]), "shares between 0 and 1"),
        (lambda f: top_lift([False], [0.3]), "nobody did"),
    ],
)
def test_what_cannot_be_learnt_from_is_named(call: object, message: str) -> None:
    features, _logit = people(50, 1)
    with pytest.raises(InputError, match=message):
        call(features)  # type: ignore[operator]

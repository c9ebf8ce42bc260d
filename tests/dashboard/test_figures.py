"""Each figure kind through its tidy table: what a reader would see in it."""

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard.figures.accuracy_curves import accuracy_curves
from dashboard.figures.class_counts import class_count_curve
from dashboard.figures.comparison import comparison_dots
from dashboard.figures.confusion import confusion_difference, confusion_heatmap, confusion_shares
from dashboard.figures.embedding_map import WEBGL_FROM, embedding_map
from dashboard.figures.group_confusion import group_confusion_heatmap
from dashboard.figures.label_places import place_labels
from dashboard.figures.parallel_coordinates import parallel_coordinates
from dashboard.figures.reliability import reliability_diagram
from dashboard.figures.residual_sweep import residual_sweep
from dashboard.figures.trade_off import trade_off
from dashboard.figures.training_curves import training_curves
from dashboard.reading.curves import accuracy_table, quantity_table
from dashboard.theme import GROUP_COLOURS


def curves(run="one", phase_a=3, phase_b=2) -> pd.DataFrame:
    rows = [
        {"run": run, "phase": phase, "epoch": epoch, "group": group, "accuracy": 50.0 + epoch, "loss": 1 / epoch}
        for phase, epochs in (("phase_a", phase_a), ("phase_b", phase_b))
        for epoch in range(1, epochs + 1)
        for group in ("many", "medium", "few", "all")
    ]
    return pd.DataFrame(rows, columns=["run", "phase", "epoch", "group", "accuracy", "loss"])


def traces(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def texts(figure):
    return [annotation.text for annotation in figure.layout.annotations]


class TestAccuracyCurves:
    def test_phase_b_follows_phase_a(self):
        figure = accuracy_curves(curves())
        (few,) = traces(figure, "few")
        assert list(few.x) == [1, 2, 3, 4, 5]
        assert list(few.y) == [51, 52, 53, 51, 52]
        assert few.line.color == GROUP_COLOURS["few"]
        assert [shape.x0 for shape in figure.layout.shapes] == [3.5]

    def test_a_run_of_phase_b_alone_starts_at_one_and_has_no_boundary(self):
        figure = accuracy_curves(curves(phase_a=0))
        assert list(traces(figure, "all")[0].x) == [1, 2]
        assert not figure.layout.shapes

    def test_several_runs_get_one_panel_a_group_and_a_boundary_each(self):
        figure = accuracy_curves(pd.concat([curves("one"), curves("two", phase_a=2)]))
        assert texts(figure)[:4] == ["many", "medium", "few", "all"]
        assert len(figure.data) == 8
        assert [trace.showlegend for trace in traces(figure, "two")] == [True, False, False, False]
        dotted = {shape.x0 for shape in figure.layout.shapes if shape.line.dash == "dot"}
        assert dotted == {2.5, 3.5}

    def test_an_empty_group_is_left_out_not_drawn_as_zero(self):
        table = curves()
        table.loc[table["group"] == "medium", "accuracy"] = np.nan
        assert not traces(accuracy_curves(table), "medium")

    @pytest.mark.parametrize("runs", [["one"], ["one", "two"]])
    def test_the_axis_says_how_many_images_it_rests_on_once_that_is_known(self, runs):
        table = pd.concat([curves(run) for run in runs])
        assert accuracy_curves(table).layout.yaxis.title.text == "Validation accuracy (%)"
        figure = accuracy_curves(table, images=1200)
        assert figure.layout.yaxis.title.text == "Validation accuracy (%), n = 1,200 images"

    def test_nothing_yet(self):
        (text,) = texts(accuracy_curves(curves(phase_a=0, phase_b=0)))
        assert text == "No epoch has been evaluated on a validation split yet."


def test_training_curves_count_each_epoch_once():
    figure = training_curves(curves(), "loss")
    assert list(figure.data[0].y) == pytest.approx([1, 1 / 2, 1 / 3, 1, 1 / 2])
    assert "nats" in figure.layout.yaxis.title.text
    rates = curves().assign(learning_rate=1e-5)
    assert training_curves(rates, "learning_rate").layout.yaxis.type == "log"


def test_steps_lie_behind_the_epochs_and_before_phase_b():
    steps = pd.DataFrame({"run": "one", "phase": "phase_a", "epoch": [0.5, 1.5], "loss": [2.0, 1.0]})
    behind, before = training_curves(curves("one"), "loss", steps).data
    assert list(behind.x) == [0.5, 1.5] and behind.mode == "lines" and not behind.showlegend
    assert list(before.x) == [1, 2, 3, 4, 5]
    # Before the first epoch ends there are steps alone.
    behind, before = training_curves(curves("one").head(0), "loss", steps).data
    assert list(behind.y) == [2.0, 1.0] and len(before.x) == 0


def test_a_run_has_one_colour_in_every_figure_whether_the_others_have_points_or_not():
    labels = {"a": "first", "b": "second"}
    metrics = pd.DataFrame({"run_id": "b", "phase": "phase_a", "epoch": [1, 2], "name": ["all", "loss"], "value": 1.0})
    accuracy = accuracy_curves(accuracy_table(metrics, labels))
    loss = training_curves(quantity_table(metrics, labels, "loss"), "loss")
    colours = [{trace.name: trace.line.color for trace in figure.data} for figure in (accuracy, loss)]
    assert colours[0] == colours[1] and len(set(colours[0].values())) == 2


def test_few_epochs_have_a_tick_each():
    assert accuracy_curves(curves()).layout.xaxis.dtick == 1
    assert accuracy_curves(curves(phase_a=40)).layout.xaxis.dtick is None


def test_class_counts_are_sorted_and_counted_by_group():
    table = pd.DataFrame(
        {"class_name": ["a", "b", "c"], "group": ["few", "many", "medium"], "train_count": [5, 500, 50]}
    )
    figure = class_count_curve(table)
    assert [trace.name for trace in figure.data] == [
        "many: 1 class, 500 images",
        "medium: 1 class, 50 images",
        "few: 1 class, 5 images",
    ]
    assert [int(trace.x[0]) for trace in figure.data] == [1, 2, 3]
    assert figure.layout.xaxis.ticktext == ("b", "c", "a")
    assert figure.layout.yaxis.type == "log"


def test_class_names_give_way_to_ranks_in_large_sets():
    table = pd.DataFrame({"class_name": [f"c{n}" for n in range(1000)], "group": "many", "train_count": range(1000)})
    assert class_count_curve(table).layout.xaxis.ticktext is None


class TestResidualSweep:
    points = pd.DataFrame(
        [
            {"sampler": sampler, "residual_factor": factor, "seed": seed, "group": "few", "accuracy": value, "run": "r"}
            for sampler in ("class_balanced", "instance")
            for factor, values in ((0.0, (40, 44)), (0.2, (50, 54)))
            for seed, value in enumerate(values)
        ]
    )

    def test_line_is_the_mean_and_the_band_one_standard_deviation(self):
        figure = residual_sweep(self.points)
        line = traces(figure, "few")[0]
        assert list(line.y) == [42, 52]
        upper = next(trace for trace in figure.data if trace.fill == "tonexty")
        assert list(upper.y) == pytest.approx([42 + 8**0.5, 52 + 8**0.5])
        assert texts(figure)[:2] == [
            "class-balanced<br>(2 seeds,<br>one Phase A each)",
            "instance<br>(2 seeds,<br>one Phase A each)",
        ]
        told = texts(residual_sweep(self.points.assign(phase_a=7)))
        assert told[0] == "class-balanced<br>(2 adapter seeds,<br>one Phase A)"

    def test_on_one_phase_a_the_band_begins_where_there_is_an_adapter(self):
        upper = next(trace for trace in residual_sweep(self.points.assign(phase_a=7)).data if trace.fill == "tonexty")
        assert np.isnan(upper.y[0]) and upper.y[1] == pytest.approx(52 + 8**0.5)

    def test_single_seed_has_no_band(self):
        figure = residual_sweep(self.points[self.points["seed"] == 0])
        assert not [trace for trace in figure.data if trace.fill]

    def test_points_carry_their_run(self):
        markers = [trace for trace in residual_sweep(self.points).data if trace.mode == "markers"]
        assert all(row[0] == "r" for trace in markers for row in trace.customdata)

    def test_choice_and_published_points_are_marked(self):
        chosen = pd.DataFrame({"sampler": ["instance"], "residual_factor": [0.2]})
        published = pd.DataFrame({"residual_factor": [0.2], "group": ["few"], "accuracy": [45.7]})
        figure = residual_sweep(self.points, chosen=chosen, published=published)
        assert " λ = 0.2 " in texts(figure)
        assert [trace.line.dash for trace in traces(figure, "chosen on validation")] == ["dash"]
        assert {trace.marker.symbol for trace in traces(figure, "published (paper)")} == {"triangle-up-open"}


class TestConfusion:
    counts = pd.DataFrame({"true": [0, 0, 1, 2], "predicted": [0, 1, 1, 0], "count": [3, 1, 5, 2]})
    names = ("cat", "dog", "cat")

    def test_shares_are_percent_of_all_images_of_the_true_class(self):
        np.testing.assert_allclose(confusion_shares(self.counts, [1, 0]), [[100, 0], [25, 75]])

    def test_a_class_without_images_is_unknown_not_zero(self):
        assert np.isnan(confusion_shares(self.counts[self.counts["true"] == 0], [0, 1])[1]).all()

    def test_classes_of_one_name_stay_apart(self):
        figure = confusion_heatmap(self.counts, [0, 1, 2], self.names)
        assert list(figure.data[0].x) == ["cat (0)", "dog", "cat (2)"]

    def test_without_diagonal_the_scale_spans_the_errors(self):
        heatmap = confusion_heatmap(self.counts, [0, 1], self.names, diagonal=False).data[0]
        assert heatmap.zmax is None and np.isnan(heatmap.z[0][0]) and heatmap.z[0][1] == 25

    def test_groups_are_named_where_classes_are_too_many(self):
        order, groups = list(range(60)), ["many"] * 20 + ["few"] * 40
        counts = pd.DataFrame({"true": order, "predicted": order, "count": 2})
        names = [f"class {class_id}" for class_id in order]
        figure = confusion_heatmap(counts, order, names, groups=groups)
        assert figure.layout.yaxis.ticktext == ("many (20)", "few (40)")
        assert figure.layout.yaxis.tickvals == pytest.approx((10, 40), abs=0.1)
        assert {shape.x0 for shape in figure.layout.shapes} >= {19.5}
        assert "n = 120 images" in figure.layout.yaxis.title.text
        mixed = confusion_heatmap(counts, order[::2] + order[1::2], names, groups=groups)
        assert mixed.layout.yaxis.ticktext is None and not mixed.layout.shapes

    def test_difference_is_centred_on_no_change(self):
        baseline = self.counts.assign(count=[2, 2, 5, 2])
        heatmap = confusion_difference(self.counts, baseline, [0, 1], self.names).data[0]
        # More on the diagonal is better, and fewer beside it.
        np.testing.assert_allclose(heatmap.z, [[25, 25], [0, 0]])
        np.testing.assert_allclose(heatmap.customdata, [[25, -25], [0, 0]])
        assert (heatmap.zmin, heatmap.zmax, heatmap.zmid) == (-25, 25, 0)


def embedding(samples: int) -> pd.DataFrame:
    numbers = np.arange(samples)
    return pd.DataFrame(
        {
            "panel": np.where(numbers % 2, "joint", "decoupled"),
            "x": numbers.astype(float),
            "y": numbers.astype(float),
            "sample": numbers,
            "class_name": np.where(numbers % 3, "fox", "wolf"),
            "group": np.where(numbers % 3, "few", "many"),
            "correctness": "correct",
            "predicted": "fox",
        }
    )


class TestEmbeddingMap:
    def test_points_carry_their_sample_and_panels_their_size(self):
        figure = embedding_map(embedding(12), colour_by="group")
        assert texts(figure) == ["decoupled<br>n = 6 images", "joint<br>n = 6 images"]
        assert sorted(sample for trace in figure.data for sample in trace.customdata) == list(range(12))
        assert {trace.marker.color for trace in traces(figure, "few")} == {GROUP_COLOURS["few"]}

    def test_notes_stand_with_their_panel(self):
        figure = embedding_map(embedding(12), notes={"joint": ["purity 50.0 %"]})
        assert texts(figure) == ["decoupled<br>n = 6 images", "joint<br>n = 6 images<br>purity 50.0 %"]

    def test_selected_samples_stand_out_wherever_they_are(self):
        figure = embedding_map(embedding(12), colour_by="group", selected=[2, 7])
        chosen = [trace.customdata[place] for trace in figure.data for place in trace.selectedpoints]
        assert sorted(chosen) == [2, 7]
        assert all(trace.selectedpoints is None for trace in embedding_map(embedding(12)).data)

    def test_large_maps_use_webgl(self):
        assert {trace.type for trace in embedding_map(embedding(WEBGL_FROM)).data} == {"scattergl"}
        assert {trace.type for trace in embedding_map(embedding(10)).data} == {"scatter"}

    def test_class_texts_are_their_own_marks(self):
        anchors = pd.DataFrame({"panel": ["joint"], "x": [0.0], "y": [0.0], "class_name": ["fox"]})
        marks = traces(embedding_map(embedding(4), anchors=anchors), "class text")
        assert [len(trace.x) for trace in marks] == [0, 1]
        assert marks[0].showlegend and not marks[1].showlegend


def test_a_difference_of_shot_groups_is_blue_where_it_is_better():
    ends = ["right", "many", "medium", "few"]
    before, after = (pd.DataFrame([row], ["few"], ends) for row in ([60.0, 30, 10, 0], [80.0, 5, 15, 0]))
    (cells,) = group_confusion_heatmap(after, pd.Series(10, ["few"]), before).data
    assert np.sign(cells.z).tolist() == [[1, 1, -1, 0]]
    assert cells.customdata.tolist() == [[20, -25, 5, 0]]
    assert [list(row) for row in cells.text] == [["+20.0", "−25.0", "+5.0", "+0.0"]]


class TestPlacesOfNames:
    def named(self, anchors: dict[str, tuple[float, float]]) -> go.Figure:
        """A map of 100 × 100 units, 200 × 200 pixels."""
        points = embedding(4).assign(panel="joint", x=[0.0, 100, 0, 100], y=[0.0, 100, 100, 0])
        table = pd.DataFrame(
            [{"panel": "joint", "class_name": name, "x": x, "y": y} for name, (x, y) in anchors.items()]
        )
        figure = embedding_map(points, anchors=table)
        figure.update_layout(xaxis_range=(0, 100), yaxis_range=(0, 100))
        place_labels(figure, 200, 200, 10)
        return traces(figure, "class text")[0]

    def test_a_name_stands_above_its_mark_where_there_is_room(self):
        assert self.named({"fox": (50, 50)}).textposition == ("top center",)

    def test_at_an_edge_it_stands_inside(self):
        above, left, right = self.named({"a": (50, 99), "long name": (1, 50), "another": (99, 20)}).textposition
        assert above == "bottom center" and left == "middle right" and right == "middle left"

    def test_names_keep_clear_of_each_other(self):
        assert self.named({"fox": (50, 50), "wolf": (50, 51)}).textposition == ("top center", "bottom center")

    def test_a_name_without_room_is_not_shown_but_told_on_pointing_at_it(self):
        trace = self.named({"a" * 40: (50, 50), "fox": (20, 20)})
        assert trace.text == ("", "fox") and trace.hovertext[0] == "a" * 40


def test_comparison_marks_published_rows_and_counts_seeds():
    table = pd.DataFrame(
        {
            "setting": ["balance B", "balance B"],
            "group": ["few", "few"],
            "mean": [52.0, 57.6],
            "sd": [0.5, np.nan],
            "seeds": pd.array([3, None], dtype="Int64"),
            "phases_a": pd.array([1, None], dtype="Int64"),
            "published": [False, True],
        }
    )
    figure = comparison_dots(table)
    ours, papers, entry = figure.data
    assert entry.name == "published (paper)" and ours.showlegend and not papers.showlegend
    assert ours.y == ("balance B (3 adapter seeds, one Phase A)",) and papers.y == ("balance B (published)",)
    assert papers.marker.symbol.endswith("-open")
    assert list(ours.error_x.array) == [0.5]
    assert np.isnan(papers.error_x.array).all()  # a bar of no length would be drawn as a stroke through the mark
    assert "s.d." in figure.layout.xaxis.title.text
    assert "s.d." not in comparison_dots(table.assign(sd=np.nan)).layout.xaxis.title.text


def test_parallel_coordinates_name_the_values_of_categories():
    runs = pd.DataFrame({"sampler": ["instance", "class_balanced"], "factor": [0.1, 0.2], "all": [50.0, 60.0]})
    figure = parallel_coordinates(runs, {"sampler": "Sampler", "factor": "λ", "all": "All (%)"}, colour="all")
    sampler, factor, _ = figure.data[0].dimensions
    assert sampler.ticktext == ("class_balanced", "instance") and list(sampler["values"]) == [1, 0]
    assert factor.ticktext is None


def test_reliability_tells_the_sample_size():
    bins = pd.DataFrame({"model": "ballad", "confidence": [10, 90], "accuracy": [5, 80], "images": [2, 40]})
    figure = reliability_diagram(bins)
    (line,) = [trace for trace in traces(figure, "ballad (n = 42)") if trace.type == "scatter"]
    assert list(line.x) == [10, 90] and list(line.y) == [5, 80]


def test_numbers_travel_as_typed_arrays():
    figure = embedding_map(embedding(6))
    assert "bdata" in json.loads(figure.to_json())["data"][0]["x"]


def test_axes_say_how_many_images_they_rest_on():
    points = pd.DataFrame(
        {"sampler": "instance", "residual_factor": [0.2], "seed": 0, "group": "all", "accuracy": 50.0, "run": "r"}
    )
    assert residual_sweep(points, images=2400).layout.yaxis.title.text == "Accuracy (%), n = 2,400 images"
    assert residual_sweep(points).layout.yaxis.title.text == "Accuracy (%)"


class TestTradeOff:
    def rows(self, **changes) -> pd.DataFrame:
        columns = {
            "name": ["Zero-shot", "BALLAD", "cRT", "Linear probe", "paper"],
            "kind": ["towers", "baseline", "method", "method", "published"],
            "many": [40.0, 55.0, 54.0, 75.0, 90.0],
            "few": [49.0, 54.0, 47.0, 20.0, 90.0],
            "many_sd": np.nan,
            "few_sd": 0.5,
            "run": ["r0", "r1", "r2", "r3", ""],
        }
        return pd.DataFrame({**columns, **changes})

    def test_the_front_leaves_out_what_is_beaten_and_what_is_published(self):
        figure = trade_off(self.rows())
        front, *others = figure.data
        assert list(zip(front.x, front.y, strict=True)) == [(55.0, 54.0), (75.0, 20.0)]
        assert {trace.name: list(trace.customdata) for trace in others} == {
            "methods on the front": ["r3"],
            "methods": ["r2"],
            "BALLAD": ["r1"],
            "towers without a head": ["r0"],
            "published, on other backbones": [""],
        }

    def test_names_that_would_touch_are_left_to_the_hover_label_and_ballad_to_the_legend(self):
        close = trade_off(self.rows(many=[40.0, 55.0, 60.0, 75.0, 90.0], few=[49.0, 54.0, 30.0, 29.5, 90.0]))
        assert [text for trace in close.data[1:] for text in trace.text if text] == ["cRT"]

    def test_a_name_that_would_be_cut_on_the_right_stands_on_the_left(self):
        names = ["z", "BALLAD", "cRT", "Linear probe, adjusted afterwards", "p"]
        many, few = [40.0, 55.0, 60.0, 75.0, 90.0], [49.0, 54.0, 45.0, 20.0, 90.0]
        methods = trade_off(self.rows(name=names, many=many, few=few)).data[1]
        assert dict(zip(methods.text, methods.textposition, strict=True)) == {
            "cRT": "top right",
            "Linear probe, adjusted afterwards": "top left",
        }

    @pytest.mark.parametrize(("spread", "told"), [(0.5, True), (np.nan, False)])
    def test_bars_are_explained_where_there_are_any(self, spread, told):
        title = trade_off(self.rows(few_sd=spread)).layout.xaxis.title.text
        assert ("bars" in title) == told

    def test_without_many_shot_classes_there_is_nothing_to_trade(self):
        (told,) = trade_off(self.rows(many=np.nan)).layout.annotations
        assert told.text == "No row has both many-shot and few-shot classes."

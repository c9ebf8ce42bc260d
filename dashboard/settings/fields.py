"""The form entry of each setting of an experiment: its kind, its name for people, and what it does."""

from ballad.heads import HEADS
from ballad.samplers import SAMPLERS, samplers_help
from ballad.schedules import SCHEDULE_HELP, SCHEDULES
from ballad.shot_groups import FEW, MANY
from ballad.work.executors.registry import EXECUTORS
from dashboard.settings.field_kinds import Choice, Field, Lines, Name, Number, Share, Switch, Text
from dashboard.settings.head_fields import head_fields

SEEDS = "seeds"
EXECUTOR = "executor"

SAMPLER_TITLES = {sampler.name: sampler.title for sampler in SAMPLERS.values()}
METHOD_TITLES = {name: head.shown_title() for name, head in HEADS.items()}
TOWERS = {"both": "both", "image": "image", "text": "text", "lift": "bottlenecks in the image tower (LIFT)"}
WEIGHTS = {"pretrained": "pretrained", "random": "random numbers"}
AUGMENTATIONS = {
    "none": "none",
    "crop_flip": "crop and flip",
    "crop_flip_jitter": "crop, flip and colour jitter",
    "wide_crop_flip": "crop of 8 to 100 % and flip (LIFT)",
}
SELECTIONS = {"last": "the last epoch", "best": "the best epoch on validation"}

_SAMPLER_HELP = samplers_help()
_BATCH_HELP = (
    "Images per update. At the same learning rate, smaller batches make more and noisier updates per epoch; the paper "
    "uses 512."
)
_DRAW_HELP = "Images taken in a row each time a class is drawn. The paper's method takes 1, its released code 4."
_DROP_HELP = "Skip the last batch of an epoch if it is not full, as the released code does."

FIELDS: dict[str, Field] = {
    "name": Text("Name", "What the run is called in tables and charts.", empty="for example: BALLAD, λ = 0.2"),
    "notes": Text("Note", "Anything worth remembering; it does not affect the results."),
    "budget": Text(
        "Budget", "The name of a reduced training budget, shown with every result. ‘full’ is the paper's budget."
    ),
    SEEDS: Text(
        "Seeds",
        "One run per seed, such as ‘0’, ‘0, 1, 2’ or ‘0-4’. Several seeds form a group, whose mean and spread show "
        "how much of a difference is noise.",
    ),
    EXECUTOR: Choice(
        "Runs in",
        " ".join(kind.help for kind in EXECUTORS.values()),
        titles={kind.name: kind.title for kind in EXECUTORS.values()},
    ),
    "schedule": Choice(
        "Schedule",
        SCHEDULE_HELP,
        titles={schedule.name: schedule.title for schedule in SCHEDULES.values()},
    ),
    # Data
    "dataset.source": Name(
        "Dataset", "A dataset from the catalogue, or the path to a folder or to a CSV or Parquet table."
    ),
    "dataset.imbalance_ratio": Number(
        "Imbalance ratio ρ",
        "Thins the training set to a long tail in which the most frequent class has ρ times as many images as the "
        "rarest.",
        least=1.0,
        step=10.0,
        empty="the dataset as it is",
    ),
    "dataset.imbalance_profile": Choice(
        "Profile of the tail",
        "How class counts fall from the most frequent to the rarest class: exponentially as in CIFAR-LT, or by a "
        "Pareto distribution as in ImageNet-LT.",
        titles={"exponential": "exponential", "pareto": "Pareto"},
    ),
    "dataset.shot_groups": Choice(
        "Shot groups",
        f"Many (≥ {MANY.at_least} images), medium and few (≤ {FEW.at_most}) by the counts of this training split, or "
        "as they are at ρ = 100, so that different ratios can be compared class by class.",
        titles={"recount": "by this split's counts", "rho100": "as at ρ = 100"},
    ),
    "dataset.validation_per_class": Number(
        "Validation images per class",
        "Set aside from the training images if the dataset has no validation split.",
        least=0,
        step=1,
    ),
    "dataset.test_per_class": Number(
        "Test images per class", "Set aside from the training images if the dataset has no test split.", least=0, step=1
    ),
    "dataset.classes": Number(
        "Classes",
        "Keep only this many classes, evenly spread over head and tail, for quick trials.",
        least=2,
        step=1,
        empty="all",
    ),
    "dataset.split_seed": Number(
        "Split seed", "Decides which images are kept when the set is thinned, and which are set aside.", least=0, step=1
    ),
    "dataset.shorter_side": Number(
        "Shorter side (pixels)",
        "Scales larger pictures down once and stores them decoded, which takes disk space but saves decoding them in "
        "every epoch. The backbone's image size, or an eighth more, is a good choice.",
        least=16,
        step=16,
        empty="as the files are",
    ),
    "dataset.skip_unreadable": Switch(
        "Leave unreadable images out", "They are listed in the run's notes; otherwise the run stops at the first one."
    ),
    # Backbone
    "backbone.name": Name(
        "Backbone",
        "The pretrained image and text towers: demo, one of the paper's four, any open_clip architecture, hf-hub:OWNER/"
        "NAME, or a folder.",
    ),
    "backbone.pretrained": Text(
        "Weights", "An open_clip tag or a checkpoint file.", empty="the name's own", optional=True
    ),
    "backbone.image_tower": Choice(
        "Image tower starts from",
        "Starting from random numbers shows what pretraining is worth (Table 4).",
        titles=WEIGHTS,
    ),
    "backbone.text_tower": Choice(
        "Text tower starts from",
        "Starting from random numbers shows what pretraining is worth (Table 4).",
        titles=WEIGHTS,
    ),
    "backbone.image_size": Number(
        "Image size (pixels)",
        "Side of the input images; position embeddings are interpolated to fit.",
        least=16,
        step=16,
        empty="own",
    ),
    "backbone.temperature": Number(
        "Temperature τ",
        "Divides the similarities in Eq. 1. If left empty, the backbone's own scale is used (τ = 0.01 for CLIP); the "
        "paper's τ = 1 leaves the softmax almost flat.",
        least=0.0,
        step=0.01,
        empty="the backbone's own",
    ),
    "backbone.trust_torchscript": Switch(
        "Trust a TorchScript file",
        "OpenAI's own .pt files are archives that can contain code, so only the shell command opens them.",
    ),
    # Prompts
    "prompts.kind": Choice(
        "Prompts",
        "The sentences that describe a class: the same template for all classes, one drawn at random for each, or the "
        "mean of several (Table 10).",
        titles={
            "single": "a photo of a {}.",
            "random_single": "one of seven at random",
            "ensemble": "mean of seven",
            "custom": "my own",
        },
    ),
    "prompts.templates": Lines(
        "My prompts", "One per line, each with {} in place of the class name; several are averaged."
    ),
    # Phase A
    "phase_a.epochs": Number("Epochs of Phase A", "Passes over the training set; the paper uses 50.", least=0, step=1),
    "phase_a.learning_rate": Number(
        "Learning rate of Phase A",
        "Peak of the cosine schedule; small, because the towers are already well trained.",
        least=0.0,
        step=1e-6,
    ),
    "phase_a.tuned": Choice(
        "Tuned towers",
        "Which towers Phase A trains; the others stay frozen (Table 5). LIFT trains only small bottlenecks beside "
        "the MLP of every block of a ViT.",
        TOWERS,
    ),
    "phase_a.sampler": Choice(
        "Sampler in Phase A",
        f"{_SAMPLER_HELP} BALLAD uses instance sampling in Phase A: features are learned best from the data as it is "
        "distributed.",
        titles=SAMPLER_TITLES,
    ),
    "phase_a.objective": Choice(
        "Objective of Phase A",
        "Cross-entropy over all class texts (Algorithm 1), or a contrastive loss over the texts of the batch.",
        titles={
            "class": "all classes (Algorithm 1)",
            "image_to_text": "image to text (Eq. 2)",
            "symmetric": "symmetric (Eq. 2 + 3)",
        },
    ),
    "phase_a.batch_size": Number("Batch size of Phase A", _BATCH_HELP, least=1, step=1),
    "phase_a.micro_batch": Number(
        "Images at a time",
        "Images on the device at once. Gradients are accumulated over the whole batch, so results do not change. "
        "Lower this if memory runs out.",
        least=1,
        step=1,
        empty="the whole batch",
    ),
    "phase_a.augmentation": Choice("Augmentation in Phase A", "How training images are varied.", titles=AUGMENTATIONS),
    "phase_a.precision": Choice(
        "Precision",
        "bf16 is faster on a GPU and keeps the weights in fp32; the paper's method uses fp32 throughout.",
        titles={"fp32": "fp32", "bf16": "bf16 (autocast)"},
    ),
    "phase_a.images_per_draw": Number("Images per draw in Phase A", _DRAW_HELP, least=1, step=1),
    "phase_a.drop_last": Switch("Drop the last batch in Phase A", _DROP_HELP),
    "phase_a.selection": Choice("Phase A hands on", "Which towers Phase B and the evaluation use.", titles=SELECTIONS),
    "phase_a.interpolation": Share(
        "Share of the tuned towers α",
        "WiSE-FT: hands on (1 − α) · untouched + α · tuned weights, which keeps more of what the towers knew of rare "
        "classes. Every α uses the same training.",
    ),
    # Phase B
    "phase_b.epochs": Number(
        "Epochs of Phase B",
        "Each takes seconds, since Phase B trains on stored features; the paper uses 10.",
        least=0,
        step=1,
    ),
    "phase_b.learning_rate": Number(
        "Learning rate of the adapter", "Peak of the cosine schedule.", least=0.0, step=0.05
    ),
    "phase_b.sampler": Choice(
        "Sampler in Phase B",
        f"{_SAMPLER_HELP} With class-balanced sampling, the adapter sees rare classes as often as frequent ones.",
        titles=SAMPLER_TITLES,
    ),
    "phase_b.batch_size": Number("Batch size of Phase B", _BATCH_HELP, least=1, step=1),
    "phase_b.method": Choice(
        "Method of Phase B", "What is trained on the features of the frozen towers.", titles=METHOD_TITLES
    ),
    **{entry: field for head in HEADS.values() for entry, field in head_fields(head).items()},
    "phase_b.features": Choice(
        "Features for Phase B",
        "Computed once and stored, so that an epoch takes seconds, or computed from freshly augmented images in every "
        "epoch.",
        titles={"cached": "stored (fast)", "exact": "fresh every epoch (slow)"},
    ),
    "phase_b.views": Number(
        "Stored views per image",
        "The most views kept of an image: the plain one, then augmented ones. Rare classes get the most.",
        1,
        1,
    ),
    "phase_b.augmentation": Choice(
        "Augmentation in Phase B", "Applies to all views except the plain one.", titles=AUGMENTATIONS
    ),
    "phase_b.images_per_draw": Number("Images per draw in Phase B", _DRAW_HELP, least=1, step=1),
    "phase_b.drop_last": Switch("Drop the last batch in Phase B", _DROP_HELP),
    "phase_b.selection": Choice("Phase B hands on", "Which adapter is evaluated.", titles=SELECTIONS),
    "phase_b.adjustment": Number(
        "Adjustment afterwards τ",
        "Subtracts τ · log(share of the class in the training set) from each logit of the trained model; 0 changes "
        "nothing.",
        least=0.0,
        step=0.25,
    ),
    "phase_b.search": Choice(
        "Search on validation",
        "Trains at each point of the method's grid, at most five, and keeps the one that is best on validation.",
        titles={"none": "none: the options as they are", "grid": "the method's grid"},
    ),
    "phase_b.seed": Number(
        "Seed of the adapter",
        "Seeds the adapter's initial weights and its batches, so that runs can vary it and still share one Phase A.",
        0,
        1,
        empty="the run's seed",
    ),
    # Optimizer
    "optimizer.momentum": Share("Momentum", "SGD momentum in both phases."),
    "optimizer.weight_decay": Number("Weight decay", "Applies in both phases; 5e-4 in the released code.", 0.0, 1e-4),
    "optimizer.cosine_by": Choice(
        "Learning rate falls by",
        "Whether the cosine decay is applied at every step, or before each epoch as in the released code, where the "
        "last epoch's rate is 0.",
        titles={"step": "step", "epoch": "epoch"},
    ),
    # Runtime
    "runtime.device": Name(
        "Device", "Where the experiment runs; auto uses a GPU if there is one. Does not affect the results."
    ),
    "runtime.workers": Number(
        "Processes that read images",
        "0 reads images in the training thread. Does not affect the results.",
        least=0,
        step=1,
    ),
    "runtime.compile": Switch(
        "Compile the image tower",
        "Takes minutes before the first step of Phase A; training may be faster afterwards, above all on a GPU.",
    ),
    "runtime.keep_towers": Switch(
        "Keep the trained towers", "Copies them into the run's folder; they can take gigabytes."
    ),
}
"""By dotted setting; the experiment's one seed is asked for as a list, ``seeds``, beside the ``executor``.

Options of methods go by the names of :func:`dashboard.settings.head_fields.entry_of_option`.
"""

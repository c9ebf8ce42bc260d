"""The class texts themselves as classifier: zero-shot, as a head that other settings of Phase B can work on."""

from typing import TYPE_CHECKING

from ballad.heads.head import Context, Head, State, TrainingData

if TYPE_CHECKING:
    from torch import Tensor


class ClassTexts(Head):
    """Eq. 1 on the towers as they are; with an adjustment afterwards it is zero-shot, logit-adjusted."""

    name = "class_texts"
    title = "Class texts"
    paper = "arXiv 2103.00020"
    formula = "z = s · ⟨f, u⟩"
    help = "No training: images are compared with the class texts alone."
    learns = False

    def start(self, context: Context, data: TrainingData) -> State:
        return {}

    def logits(self, state: State, features: "Tensor", context: Context) -> "Tensor":
        from ballad.similarity import similarity_logits

        return similarity_logits(self.embed(state, features, context), context.texts, context.logit_scale)

from .base import Backbone as Backbone
from .concepts import embed_concepts as embed_concepts
from .load import load_backbone as load_backbone
from .openclip import load_openclip as load_openclip
from .openclip_model import OpenClipBackbone as OpenClipBackbone
from .projection import AdapterProjection as AdapterProjection
from .projection import AttentionPoolProjection as AttentionPoolProjection
from .projection import LinearProjection as LinearProjection
from .projection import Projection as Projection
from .prompts import class_prompts as class_prompts
from .tiny import load_tiny as load_tiny
from .transformers import HfBackbone as HfBackbone
from .transformers import load_hf as load_hf

__all__ = [
    "AdapterProjection",
    "AttentionPoolProjection",
    "Backbone",
    "HfBackbone",
    "LinearProjection",
    "OpenClipBackbone",
    "Projection",
    "class_prompts",
    "embed_concepts",
    "load_backbone",
    "load_hf",
    "load_openclip",
    "load_tiny",
]

from .attention import attention_pool as attention_pool
from .attribution import cell_sums as cell_sums
from .attribution import integrated_gradients as integrated_gradients
from .bootstrap import draw_rates as draw_rates
from .bootstrap import group_rates as group_rates
from .bootstrap import worst_group_difference as worst_group_difference
from .clusters import ClassClusters as ClassClusters
from .clusters import class_clusters as class_clusters
from .concept_maps import calibrated_projection as calibrated_projection
from .concept_maps import reject_accept_map as reject_accept_map
from .confidence import expected_calibration_error as expected_calibration_error
from .confidence import fit_temperature as fit_temperature
from .contrastive import calibration_loss as calibration_loss
from .contrastive import calibration_loss_of_similarities as calibration_loss_of_similarities
from .contrastive import draw_similarities as draw_similarities
from .contrastive import similarity_loss as similarity_loss
from .contrastive import supervised_contrastive_loss as supervised_contrastive_loss
from .directions import contrast as contrast
from .excess import excess_errors as excess_errors
from .excess import holm as holm
from .geometry import centered_bias as centered_bias
from .geometry import class_centroids as class_centroids
from .geometry import class_directions as class_directions
from .geometry import class_sums as class_sums
from .geometry import cosine_logits as cosine_logits
from .geometry import mean_row as mean_row
from .geometry import project as project
from .geometry import prototypes as prototypes
from .geometry import unit as unit
from .group_weights import group_means as group_means
from .group_weights import update_group_weights as update_group_weights
from .intervals import f1_interval as f1_interval
from .intervals import logit_interval as logit_interval
from .intervals import paired_interval as paired_interval
from .intervals import percentile_interval as percentile_interval
from .intervals import t_interval as t_interval
from .intervals import weighted_interval as weighted_interval
from .intervals import wilson as wilson
from .logit_adjustment import log_prior as log_prior
from .logit_adjustment import logit_adjusted_cross_entropy as logit_adjusted_cross_entropy
from .mixture import ErrorMixture as ErrorMixture
from .mixture import fit_mixture as fit_mixture
from .nearest import nearest_of_other_classes as nearest_of_other_classes
from .noisy_logistic import LogisticPosterior as LogisticPosterior
from .noisy_logistic import fit_noisy_logistic as fit_noisy_logistic
from .noisy_logistic import given_answer as given_answer
from .one_vs_rest import auroc as auroc
from .one_vs_rest import average_precision as average_precision
from .one_vs_rest import log_odds as log_odds
from .one_vs_rest import ranked_counts as ranked_counts
from .power import detectable_gap as detectable_gap
from .power import rows_for_gap as rows_for_gap
from .shift import attribute_shift as attribute_shift
from .shift import exchanged as exchanged
from .simplex import simplex_vertices as simplex_vertices
from .subspaces import project_out as project_out
from .subspaces import span as span
from .targeted import Targeted as Targeted
from .targeted import TargetedMemory as TargetedMemory
from .targeted import assign_targets as assign_targets
from .targeted import targeted_loss as targeted_loss
from .targeted import update_centroids as update_centroids

__all__ = [
    "ClassClusters",
    "ErrorMixture",
    "LogisticPosterior",
    "Targeted",
    "TargetedMemory",
    "assign_targets",
    "attention_pool",
    "attribute_shift",
    "auroc",
    "average_precision",
    "calibrated_projection",
    "calibration_loss",
    "calibration_loss_of_similarities",
    "cell_sums",
    "centered_bias",
    "class_centroids",
    "class_clusters",
    "class_directions",
    "class_sums",
    "contrast",
    "cosine_logits",
    "detectable_gap",
    "draw_rates",
    "draw_similarities",
    "excess_errors",
    "exchanged",
    "expected_calibration_error",
    "f1_interval",
    "fit_mixture",
    "fit_noisy_logistic",
    "fit_temperature",
    "given_answer",
    "group_means",
    "group_rates",
    "holm",
    "integrated_gradients",
    "log_odds",
    "log_prior",
    "logit_adjusted_cross_entropy",
    "logit_interval",
    "mean_row",
    "nearest_of_other_classes",
    "paired_interval",
    "percentile_interval",
    "project",
    "project_out",
    "prototypes",
    "ranked_counts",
    "reject_accept_map",
    "rows_for_gap",
    "similarity_loss",
    "simplex_vertices",
    "span",
    "supervised_contrastive_loss",
    "t_interval",
    "targeted_loss",
    "unit",
    "update_centroids",
    "update_group_weights",
    "weighted_interval",
    "wilson",
    "worst_group_difference",
]

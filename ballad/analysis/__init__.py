"""From predictions and features to numbers: accuracy, confusion, statistics, separation, maps.

predictions  what a model said about each image
evaluation   shot groups, classes, calibration: the Report
confusion    which classes are taken for which
statistics   seeds, standard errors, paired bootstrap
separation   how far classes are apart in feature space
projection   t-SNE and UMAP
"""

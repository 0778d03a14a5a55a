#!/usr/bin/env bash
# Three backbones of about equal cost in two frameworks, with naive masks and with masks after the high-pass (docs/METHODS.md):
#   backbones.sh OUT SEED...
# As methods.sh, whose settings and results format it has; BACKBONES="vit" takes some only. The ResNet is the one of the recipes.
set -eu
here=$(dirname "$0") out=$1; shift
for backbone in ${BACKBONES:-resnet convnext vit}; do
  case $backbone in
    resnet) options="" ;;
    convnext) options="--set backbone.name=convnext_tiny --set backbone.width=32 --set backbone.depths=[1,1,2]" ;;
    vit) options="--set backbone.name=vit_ti --set backbone.width=96 --set backbone.depths=[4] --set backbone.patchSize=7" ;;
  esac
  METHODS="simclr moco-v3" SIAM_SET="$options ${SIAM_SET:-}" "$here/methods.sh" "$out/$backbone" "$@"
done

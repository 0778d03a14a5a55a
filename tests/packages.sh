#!/usr/bin/env bash
# Packs the library and the tool, installs both from a local folder into a new program outside of the repository, and runs them.
#   tests/packages.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

for project in SiamSharp SiamSharp.Cli; do dotnet pack -c Release "$root/src/$project" -o "$work/feed" -v quiet; done
ls -l "$work/feed"
version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$root/Directory.Build.props")
torch=$(sed -n 's:.*"libtorch-cpu-linux-x64" Version="\(.*\)" />.*:\1:p' "$root/Directory.Packages.props")

# The packages that were made before under the same version must not be found instead.
shared=${NUGET_PACKAGES:-$HOME/.nuget/packages}
export NUGET_PACKAGES=$work/packages
mkdir "$work/program"
cd "$work/program"
cat > NuGet.config << XML
<configuration>
  <packageSources><add key="local" value="$work/feed" /></packageSources>
  <fallbackPackageFolders><add key="shared" value="$shared" /></fallbackPackageFolders>
</configuration>
XML
dotnet new console --no-restore > /dev/null
dotnet add package SiamSharp --version "$version" > /dev/null
dotnet build -v quiet 2>&1 | grep -q SIAM001 || { echo "A program without libtorch was not warned." >&2; exit 1; }
dotnet add package libtorch-cpu-linux-x64 --version "$torch" > /dev/null
cat > Program.cs << 'CSHARP'
using SiamSharp;
using SiamSharp.Data;
using SiamSharp.Recipes;
using SiamSharp.Training;
using static TorchSharp.torch;

float[] values = [.. Enumerable.Range(0, 64 * 16 * 16).Select(i => (float)(i * 7919L % 251) / 251)];
Directory.CreateDirectory("data");
using (var file = new BinaryWriter(File.Create("data/x.npy")))
{
    file.Write((ReadOnlySpan<byte>)[0x93, .. "NUMPY"u8, 1, 0, 118, 0]);
    file.Write(System.Text.Encoding.ASCII.GetBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (64, 16, 16), }".PadRight(117) + "\n"));
    foreach (float value in values) file.Write(value);
}
IImageSource Open(DataOptions options) => ImageSources.Open("data/x.npy", options);
Recipe recipe = Recipe.Resolve([], ["backbone.width=4", "backbone.depths=[1,1]", "training.epochs=1", "training.batchSize=16"], Open);
ImageDataset images = ImageDataset.Load(Open(recipe.Data), recipe.Data);
var run = new RunFolder("run");
Pretraining.Run(recipe, images, run);
using Encoder encoder = Encoder.Load(run.EncoderPath);
using var representations = encoder.Encode(images.Batch([0, 1, 2]));
Console.WriteLine($"representations ({string.Join(", ", representations.shape)})");
CSHARP
dotnet run | tee "$work/said"
grep -q "representations (3, 8)" "$work/said"

dotnet tool install SiamSharp.Cli --version "$version" --tool-path "$work/tool" --configfile NuGet.config
"$work/tool/siam" quickstart --set training.epochs=1 --set data.threads=1 --out "$work/run"
"$work/tool/siam" export onnx --run "$work/run" --out "$work/encoder.onnx"
test -s "$work/encoder.onnx"
echo "Both packages work."

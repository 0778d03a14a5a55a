using System.Diagnostics;
using SiamSharp.Backbones;
using SiamSharp.Files;
using SiamSharp.Tests.Reference;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Interop;

/// <summary>Weights there and back with torchvision itself (Debian's python3-torchvision);
/// skipped where it is not installed.</summary>
public sealed class TorchvisionTests : IDisposable
{
    private const string Python = "/usr/bin/python3";

    private static readonly Lazy<bool> s_installed = new(() => File.Exists(Python) && Run("import torchvision").Code == 0);

    private readonly string _folder = Directory.CreateTempSubdirectory("torchvision").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static (int Code, string Error) Run(string script)
    {
        using var process = Process.Start(
            new ProcessStartInfo(Python, ["-c", script]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, error);
    }

    private string In(string name) => Path.Combine(_folder, name);

    // Loads "ours.safetensors" without any library, writes "theirs.pth" (another draw), and the answers of both to "x".
    private string Script(string model) => $$"""
        import json, struct, torch, torchvision
        torch.manual_seed(0), torch.set_num_threads(1)
        folder = {{System.Text.Json.JsonSerializer.Serialize(_folder)}}

        def read(name):
            data = open(f"{folder}/" + name + ".safetensors", "rb").read()
            start = 8 + struct.unpack("<Q", data[:8])[0]
            types = {"F32": torch.float32, "I64": torch.int64}
            header = json.loads(data[8:start])
            return {k: torch.frombuffer(bytearray(data[start + v["data_offsets"][0]:start + v["data_offsets"][1]]),
                                         dtype=types[v["dtype"]]).reshape(v["shape"])
                    for k, v in header.items() if k != "__metadata__" }

        model = torchvision.models.{{model}}().eval()
        heads = {"fc": "resnet", "classifier": "convnext", "heads": "vit"}
        head = next(h for h, name in heads.items() if name in "{{model}}")
        if head == "classifier": model.classifier[2] = torch.nn.Identity()
        else: setattr(model, head, torch.nn.Identity())
        for p in model.parameters(): p.data.add_(torch.randn_like(p) * 0.01)
        x = read("x")["x"]
        torch.save({"state_dict": {"module." + k: v for k, v in model.state_dict().items()} }, f"{folder}/theirs.pth")
        with torch.no_grad():
            theirs = model(x)
            model.load_state_dict(read("ours"), strict=True)
            torch.save({"theirs": theirs, "ours": model(x)}, f"{folder}/answers.pth")
        """;

    [Theory(Explicit = true)] // slow
    [InlineData("resnet18", "resnet18")]
    [InlineData("convnext_tiny", "convnext_tiny")]
    [InlineData("vit_b", "vit_b_16")]
    public void Load_ThereAndBack_GivesTheSameAnswers(string name, string torchvision)
    {
        Assert.SkipUnless(s_installed.Value, $"{Python} has no torchvision: apt-get install python3-torchvision");
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var options = new BackboneOptions { Name = name };
        using var ours = options.Create(3, 224, seed: 1);
        ours.eval();
        var x = RandomTensors.Normal(1, [1, 3, 224, 224]);
        SafeTensors.Write(In("ours.safetensors"), ours.state_dict());
        SafeTensors.Write(In("x.safetensors"), new Dictionary<string, Tensor> { ["x"] = x });
        var (code, error) = Run(Script(torchvision));
        Assert.True(code == 0, error);

        var answers = PyTorchFile.Read(In("answers.pth"));
        Near.Equal(answers["ours"], ours.forward(x), 1e-4);
        using var theirs = (options with { Weights = In("theirs.pth") }).Create(3, 224, seed: 2);
        theirs.eval();
        Near.Equal(answers["theirs"], theirs.forward(x), 1e-4);
        Assert.False(answers["ours"].allclose(answers["theirs"]));
    }
}

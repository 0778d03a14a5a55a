using System.Text.Json;
using SiamSharp.Options;
using SiamSharp.Views;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Views;

public sealed class PreprocessingTests
{
    private static Preprocessing HighPass(double sigma, int kernel, int channels) =>
        new(new HighPassOptions { Sigma = sigma, Kernel = kernel }, new double[channels], [.. Enumerable.Repeat(1.0, channels)]);

    [Theory]
    [InlineData("high_pass_k13.json")]
    [InlineData("high_pass_k3.json")]
    public void Apply_GoldenValues_EqualTorchvision(string file)
    {
        using var scope = NewDisposeScope();
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", file)));
        JsonElement root = golden.RootElement, parameters = root.GetProperty("params");
        double sigma = parameters.GetProperty("sigma").GetDouble();
        Preprocessing preprocessing = HighPass(sigma, parameters.GetProperty("kernel").GetInt32(), 3);
        Tensor x = Read(root.GetProperty("inputs").GetProperty("x")), expected = Read(root.GetProperty("output"));

        // The file holds twelve decimals.
        Assert.True((preprocessing.Apply(x) - expected).abs().max().item<double>() < 1e-11);
        Tensor single = preprocessing.Apply(x.to(ScalarType.Float32));
        Assert.Equal(ScalarType.Float32, single.dtype);
        Assert.True((single.to(ScalarType.Float64) - expected).abs().max().item<double>() < 1e-6);
    }

    private static Tensor Read(JsonElement element)
    {
        double[] data = [.. element.GetProperty("data").EnumerateArray().Select(value => value.GetDouble())];
        return tensor(data).reshape([.. element.GetProperty("shape").EnumerateArray().Select(value => value.GetInt64())]);
    }

    [Theory]
    [InlineData(9, 9, 1.3, 7)]
    [InlineData(7, 12, 2.0, 13)]
    [InlineData(17, 5, 0.5, 3)]
    public void Apply_AnyShape_EqualsNaiveLoops(int height, int width, double sigma, int kernel)
    {
        using var scope = NewDisposeScope();
        double[] plane = Array.ConvertAll(Images.Uniform(height * width), x => (double)x);
        double[] blurred = NaiveFilters.Blur(plane, height, width, sigma, kernel);
        Tensor signal = HighPass(sigma, kernel, 1).Apply(tensor(plane).reshape(1, 1, height, width));
        double[] actual = signal.data<double>().ToArray();
        for (int i = 0; i < plane.Length; i++) Assert.Equal(plane[i] - blurred[i], actual[i], 12);
    }

    [Fact]
    public void Apply_NoHighPass_StandardisesEachChannel()
    {
        using var scope = NewDisposeScope();
        var preprocessing = new Preprocessing(new HighPassOptions { Sigma = 0 }, [0.5, 0.25], [0.5, 2]);
        Tensor signal = preprocessing.Apply(ones(1, 2, 4, 4));
        Assert.Equal([1f, 0.375f], new[] { signal[0, 0, 0, 0].item<float>(), signal[0, 1, 3, 3].item<float>() });
    }

    [Fact]
    public void Apply_KernelTooWide_ThrowsWithTheFix()
    {
        using var scope = NewDisposeScope();
        Tensor images = Images.Batch(1, 1, 6);
        var error = Assert.Throws<ArgumentException>(() => HighPass(2, 13, 1).Apply(images));
        Assert.Contains("views.highPass.kernel to 11", error.Message, StringComparison.Ordinal);
        HighPass(2, 11, 1).Apply(images);
    }

    [Fact]
    public void Apply_OtherTypeOrChannels_Throws()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => HighPass(1, 3, 3).Apply(Images.Batch(1, 1, 8)));
        Assert.Throws<ArgumentException>(() => HighPass(1, 3, 1).Apply(Images.Batch(1, 1, 8).to(ScalarType.Float16)));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(2.0)]
    public void Measure_ThenApply_GivesUnitDeviation(double sigma)
    {
        using var scope = NewDisposeScope();
        Tensor images = Images.Batch(20, 3, 16) * tensor(new float[] { 1, 0.5f, 0.1f }).reshape(1, 3, 1, 1);
        var preprocessing = Preprocessing.Measure(
            new HighPassOptions { Sigma = sigma }, images.split(6), TestContext.Current.CancellationToken);
        Tensor signal = preprocessing.Apply(images);
        for (int c = 0; c < 3; c++)
        {
            Assert.Equal(1, signal.select(1, c).std(false).item<float>(), 1e-4);
            Assert.Equal(0, signal.select(1, c).mean().item<float>(), 0.02);
        }
        if (sigma > 0) Assert.Equal([0, 0, 0], preprocessing.Mean);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(2.0)]
    public void Measure_ConstantChannel_IsReportedAndLeftUnscaled(double sigma)
    {
        using var scope = NewDisposeScope();
        Tensor images = Images.Batch(4, 2, 16);
        images.select(1, 1).fill_(0.3);
        var preprocessing = Preprocessing.Measure(
            new HighPassOptions { Sigma = sigma }, [images], TestContext.Current.CancellationToken);
        Assert.Equal([1], preprocessing.ConstantChannels);
        Assert.Equal(1, preprocessing.Std[1]);
    }

    [Fact]
    public void Measure_NoBatches_Throws() =>
        Assert.Throws<ArgumentException>(() => Preprocessing.Measure(new HighPassOptions { Sigma = 0 }, [],
            TestContext.Current.CancellationToken));

    [Fact]
    public void Json_RoundTrip_KeepsEverything()
    {
        var before = new Preprocessing(new HighPassOptions { Sigma = 3 }, [0, 0], [0.1, 1]) { ConstantChannels = [1] };
        var after = OptionsJson.Read<Preprocessing>(OptionsJson.Write(before));
        Assert.Equal(before.HighPass, after.HighPass);
        Assert.Equal(before.Mean, after.Mean);
        Assert.Equal(before.Std, after.Std);
        Assert.Equal(before.ConstantChannels, after.ConstantChannels);
    }
}

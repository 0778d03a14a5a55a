using SiamSharp.Masking;
using SiamSharp.Recipes;
using SiamSharp.Reporting;
using SiamSharp.Tests.Views;
using SiamSharp.Views;
using SkiaSharp;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Reporting;

public sealed class ViewSheetTests : IDisposable
{
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("sheet").FullName, "views.png");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);

    private SKBitmap Draw(ViewsOptions options, int channels, Tensor images)
    {
        var preprocessing = Preprocessing.Measure(options.HighPass, [images], TestContext.Current.CancellationToken);
        ViewSheet.Write(_path, images, Images.Ids((int)images.shape[0]), options, preprocessing, 1);
        return SKBitmap.Decode(_path);
    }

    [Theory]
    [InlineData(1, 28)]
    [InlineData(3, 64)]
    [InlineData(5, 150)]
    public void Write_AnyChannelsAndSize_MakesAPicture(int channels, int size)
    {
        using Tensor images = Images.Batch(2, channels, size);
        using SKBitmap mscn = Draw(ViewPresets.Make("mscn", size), channels, images);
        using SKBitmap crop = Draw(ViewPresets.Make("crop", size), channels, images);
        // Two rows; original, high-pass, mask and two views against original and two views.
        int cell = Math.Max(size, (112 + size - 1) / size * size);
        Assert.InRange(mscn.Height, 2 * cell, 2 * cell + 250);
        Assert.InRange(mscn.Width, 5 * cell, 5 * cell + 150);
        Assert.InRange(crop.Width, 3 * cell, 3 * cell + 150);
    }

    [Fact]
    public void Write_BlackAndWhiteImage_ShowsItsPixelsEnlarged()
    {
        using Tensor images = zeros(1, 1, 16, 16);
        using (Tensor half = images.narrow(3, 8, 8)) half.fill_(1);
        using SKBitmap sheet = Draw(ViewPresets.Make("crop", 16), 1, images);
        // The first picture begins behind the margin and the row's number.
        int y = sheet.Height - 24 - 60;
        int left = Enumerable.Range(0, sheet.Width)
            .First(x => sheet.GetPixel(x, y) == SKColors.Black && sheet.GetPixel(x + 9, y) == SKColors.Black);
        Assert.All(Enumerable.Range(left, 56), x => Assert.Equal(SKColors.Black, sheet.GetPixel(x, y)));
        Assert.All(Enumerable.Range(left + 56, 56), x => Assert.Equal(SKColors.White, sheet.GetPixel(x, y)));
    }

    [Fact]
    public void Write_ManyTimes_NoTensorIsLeft()
    {
        using Tensor images = Images.Batch(2, 3, 16);
        var options = new ViewsOptions
        {
            Branches =
            [
                new()
                {
                    Count = 2,
                    Masks = [new GridMask { Probability = 0.5, Sharing = MaskSharing.PerChannel },
                        new BlobMask { Probability = 0.5 }],
                },
                new() { Size = 8, Crop = new() { Probability = 1 } },
            ],
        };
        Draw(options, 3, images).Dispose();
        long before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Draw(options, 3, images).Dispose();
        Assert.Equal(before, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void OpenTypeface_AnySystem_IsTheEmbeddedOne()
    {
        using SKTypeface typeface = SheetDrawing.OpenTypeface();
        Assert.Equal("Roboto", typeface.FamilyName);
        Assert.True(typeface.ContainsGlyphs("azAZ09%±–×#"));
    }
}

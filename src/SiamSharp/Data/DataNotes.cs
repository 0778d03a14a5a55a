using System.Globalization;
using SiamSharp.Messages;

namespace SiamSharp.Data;

/// <summary>Counts what should be known of decoded images, and says it in one line each.
/// Safe to add to from many threads.</summary>
/// <param name="options">How they are decoded, to tell of what has no effect;
/// null = those of the source, where it has some.</param>
internal sealed class DataNotes(DataOptions? options = null)
{
    private const int SmallShare = 4; // enlarged by more is told
    private const int FewPixels = 8;
    private const float MarkOfNothing = -900, FewBytes = 16;
    private const double MuchCutOff = 0.28; // an image of 4 to 3 loses 0.25
    private const float Overshoot = 1.15f; // of integers that are scaled
    private const float Tolerance = 0.25f; // scaling down overshoots

    private readonly Lock _gate = new();
    private readonly Tally _bytes = new(), _words = new(), _floats = new(), _blank = new(), _hidden = new(), _pages = new(),
        _toRgb = new(), _toGrey = new(), _transparent = new(), _invisible = new(), _above = new(), _converted = new();
    private float _mostInBytes, _mostInWords, _leastFloat = float.PositiveInfinity, _mostFloat = float.NegativeInfinity;
    private readonly List<int> _sides = [];
    private readonly List<double> _cutOff = [];
    private int _count, _white, _size;
    private AlphaBackground _background;

    /// <summary>Adds one image.</summary>
    /// <param name="index">Into the source.</param>
    /// <param name="pixels">As decoded.</param>
    public void Add(int index, Pixels pixels)
    {
        float[] values = new float[pixels.Values.Length];
        pixels.CopyTo(values);
        int area = pixels.Height * pixels.Width;
        Add(index, pixels, [.. Enumerable.Range(0, pixels.Channels).Select(c => Moments.Of(values.AsSpan(c * area, area)))]);
    }

    /// <summary>Adds one image whose moments are known.</summary>
    public void Add(int index, Pixels pixels, Moments[] moments)
    {
        float least = moments.Min(m => m.Min), most = moments.Max(m => m.Max);
        bool blank = moments.All(m => m.Min == m.Max);
        lock (_gate)
        {
            _count++;
            _size = Math.Min(pixels.Width, pixels.Height);
            if (blank) _blank.Add(index);
            switch (pixels.BitDepth)
            {
                case 8:
                    _bytes.Add(index);
                    _mostInBytes = Math.Max(_mostInBytes, most * byte.MaxValue);
                    break;
                case 16:
                    _words.Add(index);
                    _white = pixels.White > 0 ? pixels.White : ushort.MaxValue;
                    _mostInWords = Math.Max(_mostInWords, most * _white);
                    if (most > Overshoot && _white < ushort.MaxValue) _above.Add(index);
                    break;
                default:
                    _floats.Add(index);
                    (_leastFloat, _mostFloat) = (Math.Min(_leastFloat, pixels.Origin?.Stored?.Least ?? least),
                        Math.Max(_mostFloat, pixels.Origin?.Stored?.Most ?? most));
                    break;
            }
            if (pixels.Origin is not { } origin) return;
            if (origin.Side > 0) _sides.Add(origin.Side);
            _cutOff.Add(origin.CutOff);
            if (origin.UnreadPages > 0) _pages.Add(index);
            if (origin.Channels < pixels.Channels) _toRgb.Add(index);
            if (origin.Channels > pixels.Channels) _toGrey.Add(index);
            if (origin.Converted) _converted.Add(index);
            if (origin.Background is not { } background) return;
            if (origin.Invisible) _invisible.Add(index);
            else _transparent.Add(index);
            _background = background;
            if (blank && !origin.Invisible) _hidden.Add(index);
        }
    }

    /// <summary>Readable images of one value in each channel.</summary>
    public int BlankCount => _blank.Count;

    /// <summary>Of floating-point images, the values as stored; null where there are others.</summary>
    public (float Min, float Max)? StoredFloats => _floats.Count == _count && _count > 0 ? (_leastFloat, _mostFloat) : null;

    /// <summary>The value that becomes 1; null where depths differ.</summary>
    public double? White =>
        _bytes.Count == _count ? byte.MaxValue : _words.Count == _count ? _white : _floats.Count == _count ? 1 : null;

    /// <summary>What is wrong where floating-point values of another range stand beside integers, which would vanish next to
    /// them; null where nothing is.</summary>
    public string? ScaleFault(IImageSource source)
    {
        if (_floats.Count == 0 || _floats.Count == _count || InUnit) return null;
        Tally integers = _bytes.Count > 0 ? _bytes : _words;
        return $"All images of '{source.Name}' must be on one scale, but {_bytes.Count + _words.Count} hold integers of 8 or 16 "
            + "bits, which are scaled to 0 to 1 "
            + $"(such as '{source.PathOf(integers.First)}'), and {_floats.Count} hold values of 32 bits from "
            + $"{Number(_leastFloat)} to {Number(_mostFloat)}, which are taken as they are "
            + $"(such as '{source.PathOf(_floats.First)}'). Put each kind into a source of its own, or save those of 32 bits as "
            + "16-bit integers, or divided so that they lie between 0 and 1.";
    }

    private bool InUnit => IsUnit(_leastFloat, _mostFloat);

    /// <summary>How to bring floating-point values into the range from 0 to 1, in words that go on a sentence.</summary>
    internal static string ToUnit(float least, float most)
    {
        if (IsUnit(least, most)) return "save them as 16-bit integers, which do not go beyond when they are resized";
        if (least >= -1 && most <= 1) return "add 1 and divide by 2";
        if (least < 0) return $"add {Number(-least)} and divide by {Number(most - least)}";
        foreach (int bits in new[] { 8, 16 })
            if (most <= (1 << bits) - 1) return $"divide them by {(1 << bits) - 1}, or save them as {bits}-bit integers";
        return $"divide them by {Number(most)}";
    }

    private static bool IsUnit(float least, float most) => least >= -Tolerance && most <= 1 + Tolerance;

    /// <summary>What should be known; one line each, often none.</summary>
    public IReadOnlyList<string> Lines(IImageSource source) => [.. All(source, judging: false)];

    /// <summary>What should be known where an encoder looks at the images that was trained on others.</summary>
    /// <param name="source">The images.</param>
    /// <param name="trainedWhite">As <see cref="Encoder.White"/>.</param>
    public IReadOnlyList<string> Lines(IImageSource source, double? trainedWhite)
    {
        bool floats = trainedWhite == 1;
        Tally others = floats ? _bytes.Count > 0 ? _bytes : _words : _floats;
        int count = floats ? _bytes.Count + _words.Count : _floats.Count;
        if (trainedWhite is null || count == 0) return [.. All(source, judging: true)];
        return [.. All(source, judging: true), floats
            ? $"The encoder was trained on values of 32 bits, taken as they are, but {Count(count)} of {Count(_count)} images "
                + $"hold integers, which are scaled to 0 to 1 (such as '{source.PathOf(others.First)}'): "
                + "their vectors mean something only where the values of 32 bits lay between 0 and 1 too."
            : $"The encoder was trained on integers, scaled to 0 to 1, but {Count(count)} of {Count(_count)} images hold values "
                + $"of 32 bits from {Number(_leastFloat)} to {Number(_mostFloat)}, taken as they are "
                + $"(such as '{source.PathOf(others.First)}'): "
                + "their vectors mean something only where these lie between 0 and 1 too."];
    }

    private IEnumerable<string> All(IImageSource source, bool judging)
    {
        string Such(Tally tally) => $" (such as '{source.PathOf(tally.First)}')";
        string Of(Tally tally) => $"{Count(tally.Count)} of {Count(_count)} {(_count == 1 ? "image" : "images")}";
        static string Verb(Tally tally, string one, string many) => tally.Count == 1 ? one : many;

        (int Bits, Tally Tally)[] depths = [.. new[] { (8, _bytes), (16, _words), (32, _floats) }.Where(d => d.Item2.Count > 0)];
        if (depths.Length > 1)
            yield return "Depths differ: "
                + string.Join(", ", depths.Select(d => $"{Count(d.Tally.Count)} of {d.Bits} bits{Such(d.Tally)}"))
                + ". Integers are divided by the largest of their own depth"
                + (_floats.Count > 0 ? "; values of 32 bits are taken as they are." : ".")
                + " Nothing needs to be done where each kind uses the whole range of its depth.";
        if (ScaleFault(source) is { } fault) yield return fault;
        if (!judging && _floats.Count == _count && _count > 0 && !InUnit)
            yield return $"The values have 32 bits, go from {Number(_leastFloat)} to {Number(_mostFloat)}, and are not scaled. "
                + $"Views that change colours need 0 to 1. For those, {ToUnit(_leastFloat, _mostFloat)}."
                + (_leastFloat < MarkOfNothing
                    ? " Where the lowest stands for no data, as -9999 and -32768 do, put another value in its place first." : "");
        if (_bytes.Count == _count && _count > 0 && _mostInBytes is > 0 and < FewBytes)
            yield return $"The largest value of {(_count == 1 ? "the one image" : $"all {Count(_count)} images")} is "
                + $"{Number(_mostInBytes)} of 255, nearly black. If the values were fractions from 0 to 1, "
                + "save (x * 255).astype('uint8'); if they are numbers of classes, they are no pixels.";
        if ((options ?? source.Options) is { Bits: < 16 and var given } && _words.Count == 0 && _count > 0)
            yield return $"data.bits={given} has no effect: it is for images of 16 bits, and there are none here.";
        if (_words.Count > 0 && _white == ushort.MaxValue && UsedBits(_mostInWords) is var bits and < 16)
            yield return $"The largest value of {(_words.Count == 1 ? "the one image" : $"all {Count(_words.Count)} images")} "
                + $"of 16 bits is about {Number(Math.Min(_mostInWords, (1 << bits) - 1))} of 65535: "
                + $"{bits} bits stored as 16, it seems, "
                + "which the network sees as nearly black before it is standardised. "
                + $"--set data.bits={bits} makes {(1 << bits) - 1} white.";
        if (_above.Count > 0)
            yield return $"{Of(_above)} {Verb(_above, "holds", "hold")} values above {_white}, "
                + $"the white of data.bits{Such(_above)}: they become more than 1."
                + (UsedBits(_mostInWords) is var needed && needed == 16 ? " Leave data.bits out: the largest value needs all 16."
                    : (1 << needed) - 1 > _white
                    ? $" --set data.bits={needed} makes {(1 << needed) - 1} white."
                    : " That little comes from scaling, and nothing needs to be done.");
        int side = _sides.Count > 0 ? Spread.Of(_sides).Median : source.NativeSize;
        if (side > 0 && SmallShare * side < _size)
            yield return $"The images are small: the median of their shorter sides is {Plural.Of(side, "pixel")}, "
                + $"and they are enlarged to {_size} (data.size). "
                + (side < FewPixels ? "So few pixels hold little to learn from: use larger images where there are any."
                    : "A smaller --set data.size=N is faster and loses nothing, as far as the recipe's network takes it.");
        double cutOff = _cutOff.Count > 0 ? _cutOff.Order().ElementAt((_cutOff.Count - 1) / 2) : 0;
        if (cutOff > MuchCutOff)
            yield return "Only the centre square of each image is kept (data.fit=crop): "
                + $"of {(_count == 1 ? "this one" : "the median image")} {(int)(100 * cutOff)} % are cut off."
                + (judging ? "" : " --set data.fit=stretch keeps all of it, and changes its proportions.");
        if (_pages.Count > 0)
            yield return $"{Of(_pages)} {Verb(_pages, "has", "have")} further pages or frames{Such(_pages)}, "
                + "and only the first is read. Where each page holds a channel, as in OME-TIFF, "
                + "--set data.pages=channels reads all.";
        if (_toRgb.Count > 0)
            yield return $"{Of(_toRgb)} {Verb(_toRgb, "is", "are")} grey and {Verb(_toRgb, "becomes", "become")} "
                + $"RGB{Such(_toRgb)}. Nothing needs to be done.";
        if (_toGrey.Count > 0)
            yield return $"{Of(_toGrey)} {Verb(_toGrey, "is", "are")} RGB and "
                + $"{Verb(_toGrey, "becomes", "become")} grey{Such(_toGrey)}.";
        if (_converted.Count > 0)
            yield return $"{Of(_converted)} {Verb(_converted, "is", "are")} CMYK, "
                + $"Lab or the like and {Verb(_converted, "becomes", "become")} RGB{Such(_converted)}. "
                + "Where exact colours matter, save as RGB first.";
        if (_transparent.Count > 0)
            yield return $"{Of(_transparent)} {Verb(_transparent, "is", "are")} transparent in places: "
                + (_background == AlphaBackground.Mean ? "the mean of their visible pixels"
                    : _background.ToString().ToLowerInvariant()) + " "
                + $"shows through (data.alpha){Such(_transparent)}.";
        if (_invisible.Count > 0)
            yield return $"{Of(_invisible)} {Verb(_invisible, "is", "are")} fully transparent{Such(_invisible)}: "
                + $"no pixel is visible, whatever data.alpha is. Save {Verb(_invisible, "it", "them")} without transparency, "
                + $"or leave {Verb(_invisible, "it", "them")} out.";
        if (_blank.Count > _invisible.Count)
            yield return $"{Of(_blank)} {Verb(_blank, "is", "are")} blank, of one colour only{Such(_blank)}."
                + (_hidden.Count > 0
                    ? $" Of {Count(_hidden.Count)} the shape lies in the transparency: "
                        + "another data.alpha (white, black or mean) may show it." : "");
    }

    /// <summary>The fewest bits that hold a value; up to 15 % more is forgiven, by which scaling down may overshoot.</summary>
    private static int UsedBits(float largest) =>
        Enumerable.Range(8, 9).FirstOrDefault(bits => largest <= Overshoot * ((1 << bits) - 1), 16);

    private static string Count(int number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Number(float value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    private sealed class Tally
    {
        public int Count { get; private set; }

        /// <summary>The lowest index, whatever order the threads come in.</summary>
        public int First { get; private set; } = int.MaxValue;

        public void Add(int index)
        {
            Count++;
            First = Math.Min(First, index);
        }
    }
}

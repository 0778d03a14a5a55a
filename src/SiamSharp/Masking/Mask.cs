using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Masking;

/// <summary>A shape of mask: its options and how it is drawn.</summary>
/// <remarks>
/// A new shape is one sealed record in this folder, or in an assembly of your own:
/// its <see cref="KindAttribute"/> makes it known.
/// </remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "shape")]
public abstract record Mask : IHasRules
{
    /// <summary>
    /// Share of the views that get this mask. If the shares of all masks add up to less than 1, the rest of the views stays
    /// unmasked.
    /// </summary>
    [Range(0.0, 1.0)] public double Probability { get; init; } = 1;

    /// <summary>
    /// all-channels: one mask for all channels of a view. per-channel: each channel draws a mask of its own.
    /// </summary>
    public MaskSharing Sharing { get; init; }

    /// <summary>What fills the holes.</summary>
    public FillOptions Fill { get; init; } = new();

    /// <summary>Draws the mask of one view.</summary>
    /// <param name="keepMask">(C, H, W), or (1, H, W) if the channels share it; all of it is written: true = visible.</param>
    /// <param name="height">H in pixels.</param>
    /// <param name="width">W in pixels.</param>
    /// <param name="random">The view's stream for <see cref="RandomPurpose.Mask"/>.</param>
    /// <exception cref="OptionsException">An option is out of its range, or breaks a rule.</exception>
    public void Draw(Span<bool> keepMask, int height, int width, ref RandomStream random)
    {
        OptionsJson.Check(this);
        DrawChecked(keepMask, height, width, ref random);
    }

    /// <summary>The same where the options are known to be in their ranges.</summary>
    internal void DrawChecked(Span<bool> keepMask, int height, int width, ref RandomStream random)
    {
        int area = height * width;
        for (int start = 0; start < keepMask.Length; start += area)
            DrawPlane(keepMask.Slice(start, area), height, width, ref random);
    }

    /// <summary>Number of planes that <see cref="Draw"/> writes for images of C channels: 1 or C.</summary>
    public int Planes(int channels) => Sharing == MaskSharing.AllChannels ? 1 : channels;

    /// <summary>Draws one plane.</summary>
    /// <param name="keepMask">(H, W); all of it is written: true = visible.</param>
    /// <param name="height">H in pixels.</param>
    /// <param name="width">W in pixels.</param>
    /// <param name="random">The view's stream for <see cref="RandomPurpose.Mask"/>.</param>
    public abstract void DrawPlane(Span<bool> keepMask, int height, int width, ref RandomStream random);

    /// <inheritdoc/>
    public abstract IEnumerable<Fault> Faults();

    /// <summary>What does not fit views of this size.</summary>
    /// <param name="side">Of the views in pixels.</param>
    public virtual IEnumerable<Fault> FaultsFor(int side) => [];

    /// <summary>Why the patches of a ViT cannot be left out as this mask drops them; null when they can.</summary>
    /// <param name="patch">Side of a patch in pixels.</param>
    /// <param name="side">Of the views in pixels.</param>
    public virtual string? ProblemOfDropping(int patch, int side) =>
        "only grid masks consist of whole patches: choose the shape grid, or another fill";

    /// <summary>That the smallest mask ratio is 1.</summary>
    private protected static Fault RemovesAll { get; } = new("minRatio",
        "is 1: the mask would remove the whole view, and nothing is left to learn from. Give less than 1, such as 0.3");
}

/// <summary>Whether the channels of an image share one mask.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MaskSharing>))]
public enum MaskSharing
{
    /// <summary>One mask for all channels.</summary>
    [JsonStringEnumMemberName("all-channels")] AllChannels,

    /// <summary>Each channel draws its own mask and mask ratio.</summary>
    [JsonStringEnumMemberName("per-channel")] PerChannel,
}

using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Options;

namespace SiamSharp.Recipes;

/// <summary>What a recipe has to know of the images that it is for.</summary>
internal static class RecipeImages
{
    /// <summary>Their size, their channels, and what their source decides of how they are decoded.</summary>
    internal static (int Size, int Channels, DataOptions? Decided) KindOf(
        JsonObject? given, Func<DataOptions, IImageSource> open)
    {
        try
        {
            DataOptions data = OptionsJson.Read<DataOptions>(given ?? []);
            IImageSource source = open(data);
            int size = data.Size > 0 ? data.Size : source.NativeSize > 0 ? source.NativeSize : Recipe.SizeForFiles;
            DataOptions? decided = source.Options;
            return (size, decided is { Channels: > 0 } ? decided.Channels
                : data.Channels > 0 ? data.Channels : ChannelsOf(source), decided);
        }
        catch (OptionsException)
        {
            return (Recipe.SizeForFiles, 3, null); // reported with all other faults, under its full path
        }
    }

    /// <summary>Channels of the first image with a readable header; 3 when there is none,
    /// which loading the images will report.</summary>
    private static int ChannelsOf(IImageSource source)
    {
        for (int i = 0; i < source.Count; i++)
        {
            try
            {
                return source.InfoOf(i).Channels;
            }
            catch (UnreadableImageException)
            {
            }
        }
        return 3;
    }
}

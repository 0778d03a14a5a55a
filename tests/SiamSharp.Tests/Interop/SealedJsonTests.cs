using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using SiamSharp.Files;
using Xunit;

namespace SiamSharp.Tests.Interop;

public sealed class SealedJsonTests
{
    private static JsonObject Content() => new()
    {
        ["name"] = "caf\u00e9 + \"x\"",
        ["value"] = 0.1 + 0.2,
        ["list"] = new JsonArray(1, null, 1e-300),
        ["inner"] = new JsonObject { ["a"] = true }
    };

    [Fact]
    public void Unseal_WhatWasSealed_IsTheSame() =>
        Assert.True(JsonNode.DeepEquals(Content(), SealedJson.Unseal(JsonNode.Parse(SealedJson.Seal(Content()).ToJsonString()))));

    [Fact]
    public void Unseal_AnyBitFlipped_IsToldOrChangesNothing()
    {
        byte[] whole =
            Encoding.UTF8.GetBytes(SealedJson.Seal(Content()).ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        int told = 0;
        for (int bit = 0; bit < whole.Length * 8; bit++)
        {
            byte[] flipped = [.. whole];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                JsonObject read = SealedJson.Unseal(JsonNode.Parse(flipped));
                // the hash's own name
                foreach (string key in read.Select(p => p.Key).Where(k => !Content().ContainsKey(k)).ToArray()) read.Remove(key);
                Assert.True(JsonNode.DeepEquals(Content(), read), Encoding.UTF8.GetString(flipped));
            }
            catch (JsonException)
            {
                told++;
            }
        }
        Assert.InRange(told, whole.Length * 8 * 3 / 4, whole.Length * 8 - 1);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"a":1,"xxhash128":5}""")]
    [InlineData("""{"a":1,"a":1}""")]
    [InlineData("""{"a":"\ud800"}""")]
    public void Unseal_NoObjectOrNoHash_IsTold(string text) =>
        Assert.Throws<JsonException>(() => SealedJson.Unseal(JsonNode.Parse(text)));

    [Fact]
    public void Unseal_WithoutHash_IsTakenAsItIs() =>
        Assert.Equal(5, (int)SealedJson.Unseal(JsonNode.Parse("""{"a":5}"""))["a"]!);
}

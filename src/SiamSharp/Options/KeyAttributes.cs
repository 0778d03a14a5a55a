namespace SiamSharp.Options;

/// <summary>What to say of keys that people expect in a document, or in a part of it, and that are not there.</summary>
/// <param name="part">The path of the part; empty = the document itself.</param>
/// <param name="advice">What to do instead, in words that go on a sentence.</param>
/// <param name="keys">Such as <c>title</c>.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
internal sealed class ExpectedKeysAttribute(string part, string advice, params string[] keys) : Attribute
{
    public string Part => part;
    public string Advice => advice;
    public IReadOnlyList<string> Keys => keys;
}

/// <summary>Says of which document a tree is a part, so that mistakes in it can be answered.</summary>
/// <param name="document">Such as the type of recipes.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PartOfAttribute(Type document) : Attribute
{
    public Type Document => document;
}

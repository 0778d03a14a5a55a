using System.Text.Json.Nodes;

namespace SiamSharp.Recipes;

/// <summary>What lies over the layers below it: a partial recipe, and over that its assignments.</summary>
/// <param name="Tree">Not changed.</param>
/// <param name="Assignments"><c>path=value</c>; their order decides only between two values of one option.</param>
internal sealed record RecipeLayer(JsonObject Tree, IReadOnlyList<string> Assignments);

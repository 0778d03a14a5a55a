using System.Reflection;

namespace SiamSharp.Options;

/// <summary>One option: what <c>--set path=value</c> can change.</summary>
/// <param name="Path">Such as <c>training.epochs</c>.</param>
/// <param name="Value">At present, as JSON without quotes.</param>
/// <param name="Allowed">A range or a list of names; empty where any text goes.</param>
/// <param name="Owner">The record that declares it.</param>
/// <param name="Member">The property; null for the name of a kind.</param>
internal sealed record OptionDescription(string Path, string Value, string Allowed, Type Owner, MemberInfo? Member);

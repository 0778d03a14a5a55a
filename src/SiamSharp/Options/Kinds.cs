using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json.Serialization.Metadata;

namespace SiamSharp.Options;

/// <summary>The name by which recipes and commands choose a kind of something: a mask, a method,
/// an optimiser and so on.</summary>
/// <param name="name">Lower case, words joined by hyphens, such as <c>moco-v2</c>.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class KindAttribute(string name) : Attribute
{
    /// <summary>Such as <c>moco-v2</c>.</summary>
    public string Name { get; } = name;
}

/// <summary>All kinds that can be chosen: classes with a <see cref="KindAttribute"/> in this library, in the program that runs,
/// and in assemblies that were handed over.</summary>
/// <remarks>
/// A new kind is one class of its own, derived from the abstract class of what it is a kind of: <c>Mask</c>,
/// <c>MethodOptions</c>, <c>OptimizerOptions</c>, <c>BackboneFamily</c>, <c>Corruption</c>, <c>SourceFormat</c>.
/// </remarks>
public static class Kinds
{
    private static readonly Lock s_lock = new();
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<object>> s_instances = new();
    private static Assembly[] s_assemblies =
        [.. new[] { typeof(Kinds).Assembly, Assembly.GetEntryAssembly() }.OfType<Assembly>().Distinct()];

    /// <summary>Makes the kinds of a class library known, such as masks of your own; call it once,
    /// before the first recipe is read.</summary>
    /// <param name="assembly">Such as <c>typeof(MyMask).Assembly</c>.</param>
    /// <exception cref="ArgumentException">Two classes have the same name.</exception>
    public static void AddFrom(Assembly assembly)
    {
        lock (s_lock)
        {
            if (s_assemblies.Contains(assembly)) return;
            Assembly[] all = [.. s_assemblies, assembly];
            foreach (IGrouping<Type, Type> parent in assembly.GetTypes().Where(IsKind).GroupBy(type => type.BaseType!))
                Find(parent.Key, all);
            s_assemblies = all;
            s_instances.Clear();
        }
        OptionsJson.Forget();
    }

    /// <summary>Forgets the kinds of an assembly.</summary>
    internal static void Remove(Assembly assembly)
    {
        lock (s_lock)
        {
            s_assemblies = [.. s_assemblies.Where(known => known != assembly)];
            s_instances.Clear();
        }
        OptionsJson.Forget();
    }

    /// <summary>The kinds of something, by name.</summary>
    internal static IReadOnlyList<(string Name, Type Type)> Of(Type parent) => Find(parent, s_assemblies);

    /// <summary>One object of each kind, by name; the kinds are classes with a constructor without parameters.</summary>
    internal static IReadOnlyList<T> All<T>() where T : class =>
        (IReadOnlyList<T>)s_instances.GetOrAdd(typeof(T),
            type => (T[])[.. Of(type).Select(kind => (T)Activator.CreateInstance(kind.Type)!)]);

    /// <summary>The name of the kind that an object is of.</summary>
    internal static string NameOf(object kind) => kind.GetType().GetCustomAttribute<KindAttribute>()!.Name;

    /// <summary>Tells the serialiser the kinds of an abstract record.</summary>
    internal static void AddTo(JsonTypeInfo info)
    {
        if (IsKind(info.Type))
        {
            // An override of a read-only property would be written, and then refused as an option: JsonIgnore is not inherited.
            foreach (JsonPropertyInfo readOnly in info.Properties.Where(p => p.Set is null).ToArray())
                info.Properties.Remove(readOnly);
        }
        if (info.PolymorphismOptions is { DerivedTypes.Count: 0 } kinds)
            foreach (var (name, type) in Of(info.Type)) kinds.DerivedTypes.Add(new JsonDerivedType(type, name));
    }

    private static bool IsKind(Type type) => type.IsDefined(typeof(KindAttribute), inherit: false);

    private static (string Name, Type Type)[] Find(Type parent, Assembly[] assemblies)
    {
        (string Name, Type Type)[] found = [.. assemblies.SelectMany(assembly => assembly.GetTypes())
            .Where(type => IsKind(type) && type.IsSubclassOf(parent))
            .Select(type => (type.GetCustomAttribute<KindAttribute>()!.Name, type))
            .OrderBy(kind => kind.Name, StringComparer.Ordinal)];
        return found.GroupBy(kind => kind.Name).FirstOrDefault(same => same.Count() > 1) is not { } twice
            ? found
            : throw new ArgumentException($"{string.Join(" and ", twice.Select(kind => kind.Type.FullName))} are both called "
                + $"\"{twice.Key}\": give one of them another [Kind].");
    }
}

#pragma warning disable
using System.CommandLine; using SiamSharp.Cli.Terminal;
namespace SiamSharp.Cli.Commands { static class DoctorCommand { internal static Command Create(Func<ParseResult, Screen> s)=>new("doctor");} }
namespace SiamSharp.Native { public record Ck(bool Loads,string Explanation); public static class NativeLibraries { public static Ck Check()=>new(true,""); } }

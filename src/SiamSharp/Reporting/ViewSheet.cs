#pragma warning disable
using SiamSharp.Data; using SiamSharp.Views; 
namespace SiamSharp.Reporting { public static class ViewSheet { public static void Write(string p, ImageDataset d, ViewsOptions o, Preprocessing q, ulong s){} } }

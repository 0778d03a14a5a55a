namespace SiamSharp.Filters;

/// <summary>A part of an image, in whole pixels.</summary>
internal readonly record struct CropWindow(int Top, int Left, int Height, int Width);

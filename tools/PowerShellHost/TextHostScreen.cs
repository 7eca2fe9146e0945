using System.Management.Automation.Host;

namespace Conntracker.PowerShellHost;

/// <summary>The screen of <see cref="TextHost"/>: PowerShell fits its tables into its width. It has no cursor, no colors and no keys.</summary>
/// <param name="width">The width in columns.</param>
internal sealed class TextHostScreen(int width) : PSHostRawUserInterface
{
    private readonly Size _size = new(width, 50);

    /// <inheritdoc/>
    public override ConsoleColor BackgroundColor { get; set; } = ConsoleColor.Black;

    /// <inheritdoc/>
    public override ConsoleColor ForegroundColor { get; set; } = ConsoleColor.Gray;

    /// <inheritdoc/>
    public override Size BufferSize { get => _size; set => throw FixedSize(); }

    /// <inheritdoc/>
    public override Coordinates CursorPosition { get; set; }

    /// <inheritdoc/>
    public override int CursorSize { get; set; }

    /// <inheritdoc/>
    public override bool KeyAvailable => false;

    /// <inheritdoc/>
    public override Size MaxPhysicalWindowSize => _size;

    /// <inheritdoc/>
    public override Size MaxWindowSize => _size;

    /// <inheritdoc/>
    public override Coordinates WindowPosition { get; set; }

    /// <inheritdoc/>
    public override Size WindowSize { get => _size; set => throw FixedSize(); }

    /// <inheritdoc/>
    public override string WindowTitle { get; set; } = "";

    /// <inheritdoc/>
    public override void FlushInputBuffer()
    {
        // No keys arrive here.
    }

    /// <inheritdoc/>
    public override BufferCell[,] GetBufferContents(Rectangle rectangle) => throw NoScreen();

    /// <inheritdoc/>
    public override KeyInfo ReadKey(ReadKeyOptions options) => throw NoScreen();

    /// <inheritdoc/>
    public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill) => throw NoScreen();

    /// <inheritdoc/>
    public override void SetBufferContents(Coordinates origin, BufferCell[,] contents) => throw NoScreen();

    /// <inheritdoc/>
    public override void SetBufferContents(Rectangle rectangle, BufferCell fill) => throw NoScreen();

    private static NotSupportedException FixedSize() => new("The width of this host's lines is fixed.");

    private static NotSupportedException NoScreen() => new("This host writes text and has no screen.");
}

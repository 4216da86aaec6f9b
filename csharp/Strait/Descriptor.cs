using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Strait
{
    /// <summary>
    /// A type's descriptor, taken apart. A region may lie in it: it is believed if it adds up to the size that the channel's
    /// values have.
    /// </summary>
    internal sealed class Descriptor
    {
        /// <summary>Structs and arrays within each other: more than any sane type has.</summary>
        private const int MostDeep = 32;
        /// <summary>The most fields that are listed: more than anybody reads.</summary>
        private const int MostFields = 1 << 16;

        private readonly string text;
        private int at;
        private Dictionary<string, List<DescribedField>> byPath;

        private Descriptor(string text, int size)
        {
            this.text = text;
            Size = size;
        }

        internal int Size { get; }
        internal List<DescribedField> Fields { get; } = new List<DescribedField>();

        /// <summary>Bytes of a scalar; 0 if it is none.</summary>
        internal static int SizeOf(string scalar)
        {
            switch (scalar)
            {
                case "u8": case "i8": return 1;
                case "u16": case "i16": return 2;
                case "u32": case "i32": case "f32": return 4;
                case "u64": case "i64": case "f64": return 8;
                default: return 0;
            }
        }

        /// <summary>The fields of a descriptor of values of this size. Null if it does not add up.</summary>
        internal static Descriptor Parse(string text, long size)
        {
            if (size < 1 || size > int.MaxValue)
            {
                return null;
            }
            var parsed = new Descriptor(text, (int)size);
            try
            {
                bool sound = parsed.Type("", 0, parsed.Size, MostDeep) == size && parsed.at == text.Length;
                return sound ? parsed : null;
            }
            catch (FormatException)
            {
                return null;
            }
        }

        /// <summary>The type of a channel in a region's description. Null if it is not there, or does not add up.</summary>
        internal static DescribedType Find(ChannelInfo channel, string description)
        {
            string[] lines = description.Split('\n');
            for (int line = 0; line < lines.Length; line++)
            {
                int space = lines[line].IndexOf(' ');
                if (!lines[line].StartsWith("=", StringComparison.Ordinal) || space < 0)
                {
                    continue;
                }
                string name = lines[line].Substring(1, space - 1);
                string text = lines[line].Substring(space + 1);
                if (Hash(text) != channel.TypeHash)
                {
                    continue;
                }
                Descriptor parsed = Parse(text, channel.MaxLen);
                for (line++; parsed != null && line < lines.Length && lines[line].StartsWith(".", StringComparison.Ordinal); line++)
                {
                    parsed.Note(lines[line]);
                }
                return parsed == null ? null : new DescribedType(name, text, channel.TypeHash, parsed);
            }
            foreach (string scalar in new[] { "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64" })
            {
                if (Hash(scalar) == channel.TypeHash)
                {
                    Descriptor parsed = Parse(scalar, channel.MaxLen);
                    return parsed == null ? null : new DescribedType("", scalar, channel.TypeHash, parsed);
                }
            }
            return null;
        }

        private static ulong Hash(string text) =>
            text.IndexOf('\0') >= 0 ? 0 : Native.strait_type_hash(Bytes.Text(text, nameof(text)));

        /// <summary>Takes a type, and lists its fields; returns its bytes, <paramref name="most"/> at most.</summary>
        private int Type(string path, int offset, int most, int deep)
        {
            Require(deep > 0);
            if (Takes("["))
            {
                int length = Number();
                Take("]");
                Require(length >= 1 && length <= most);
                return at < text.Length && (text[at] == '[' || text[at] == '{')
                    ? Elements(path, offset, most, deep, length)
                    : Scalars(path, offset, most, length);
            }
            return Takes("{") ? Members(path, offset, most, deep) : Scalars(path, offset, most, 0);
        }

        /// <summary>A number, or an array of so many.</summary>
        private int Scalars(string path, int offset, int most, int count)
        {
            int end = at;
            while (end < text.Length && char.IsLetterOrDigit(text[end]))
            {
                end++;
            }
            string scalar = text.Substring(at, end - at);
            at = end;
            long size = (long)SizeOf(scalar) * Math.Max(count, 1);
            Require(size >= 1 && size <= most && Fields.Count < MostFields);
            Fields.Add(new DescribedField(path, scalar, offset, count));
            return (int)size;
        }

        /// <summary>An array of structs or arrays. Each element lists a field at least, so there are not too many.</summary>
        private int Elements(string path, int offset, int most, int deep, int length)
        {
            int start = at;
            int size = 0;
            for (int index = 0; index < length; index++)
            {
                at = start;
                size += Type(path + "[" + index + "]", offset + size, most - size, deep - 1);
            }
            return size;
        }

        /// <summary>A struct, behind its brace. Types have no padding.</summary>
        private int Members(string path, int offset, int most, int deep)
        {
            int end = 0;
            while (!Takes("size="))
            {
                string name = Name();
                int start = end;
                end += Type(path.Length == 0 ? name : path + "." + name, offset + start, most - start, deep - 1);
                Take("@");
                Require(Number() == start);
                Take(";");
            }
            Require(Number() == end && end > 0);
            Take("}");
            return end;
        }

        private string Name()
        {
            int end = at;
            while (end < text.Length && (text[end] == '_' || char.IsLetterOrDigit(text[end])))
            {
                end++;
            }
            string name = text.Substring(at, end - at);
            at = end;
            Require(name.Length > 0);
            Take(":");
            return name;
        }

        private int Number()
        {
            int end = at;
            while (end < text.Length && text[end] >= '0' && text[end] <= '9')
            {
                end++;
            }
            Require(int.TryParse(text.Substring(at, end - at), NumberStyles.None, CultureInfo.InvariantCulture, out int number));
            at = end;
            return number;
        }

        private bool Takes(string what)
        {
            bool there = string.CompareOrdinal(text, at, what, 0, what.Length) == 0;
            at += there ? what.Length : 0;
            return there;
        }

        private void Take(string what)
        {
            Require(Takes(what));
        }

        private static void Require(bool sound)
        {
            if (!sound)
            {
                throw new FormatException();
            }
        }

        /// <summary>A note on a field: <c>.path what text</c>. What this version does not know is left out.</summary>
        private void Note(string line)
        {
            string[] parts = line.Substring(1).Split(new[] { ' ' }, 3);
            if (parts.Length < 3)
            {
                return;
            }
            foreach (DescribedField field in At(parts[0]))
            {
                switch (parts[1])
                {
                    case "unit":
                        field.Unit = parts[2];
                        break;
                    case "help":
                        field.Help = parts[2];
                        break;
                    case "value":
                        string[] named = parts[2].Split(new[] { ' ' }, 2);
                        if (named.Length == 2 && long.TryParse(named[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
                        {
                            field.names[value] = named[1];
                        }
                        break;
                }
            }
        }

        /// <summary>The fields of a path in which arrays leave no trace.</summary>
        private IEnumerable<DescribedField> At(string path)
        {
            if (byPath == null)
            {
                byPath = new Dictionary<string, List<DescribedField>>();
                foreach (DescribedField field in Fields)
                {
                    string plain = Regex.Replace(field.Path, "\\[[0-9]+\\]", "");
                    if (!byPath.TryGetValue(plain, out List<DescribedField> there))
                    {
                        byPath[plain] = there = new List<DescribedField>();
                    }
                    there.Add(field);
                }
            }
            return byPath.TryGetValue(path, out List<DescribedField> found) ? found : new List<DescribedField>();
        }
    }
}

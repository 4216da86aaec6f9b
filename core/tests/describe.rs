//! A region's description of its types, byte for byte, both ways; and one that lies.

use crate::common::listing::Listing;
use crate::common::seed::{Rng, seed};
use crate::common::{Region, raw};
use strait_core::format::describe::{
    DESCRIBED, DescribedType, Description, DescriptionError, MAX_DESCRIPTION, Remark, types,
};
use strait_core::ground::plan::Fault;
use strait_core::port::Port;
use strait_core::{Channel, Message, Plan, describe};

strait_core::message! {
    /// Where a joint is.
    struct Joint {
        /// From the encoder.
        /// Not filtered.
        angle: f32 [unit = "rad"],
        state: u32 [values = { idle = 0, moving = 1, r#type = -2 }],
    }

    struct Arm {
        time: u64 [unit = "ns"],
        joints: [Joint; 2],
        #[doc(hidden)]
        plain: [u8; 8],
    }
}

const PLAN: Plan<'_> = Plan::new(&[Channel::slots::<Arm>("arm", 2), Channel::latest::<f64>("load")])
    .line(4)
    .participants(1)
    .described(describe!(Arm));
const ARM: Arm = Arm { time: 0, joints: [Joint { angle: 0.0, state: 0 }; 2], plain: [0; 8] };
const LISTING: &str = include_str!("golden/described.hex");
const TEXT: &str = "=Arm {time:u64@0;joints:[2]{angle:f32@0;state:u32@4;size=8}@8;plain:[8]u8@24;size=32}\n\
    .time unit ns\n.joints.angle unit rad\n.joints.angle help From the encoder.\n.joints.state value 0 idle\n\
    .joints.state value 1 moving\n.joints.state value -2 type\n";

#[test]
fn numbers_that_others_rely_on() {
    assert_eq!((DESCRIBED, MAX_DESCRIPTION), (1, 65536));
    assert_eq!(describe!(Arm), TEXT);
    assert_eq!(describe!(f64, [u16; 3]), "= f64\n= [3]u16\n");
}

#[test]
fn format_produces_the_listing() {
    let listing = Listing::parse(LISTING);
    assert_eq!(PLAN.size(), listing.bytes.len());
    listing.assert_matches(&Region::new(&PLAN).bytes());
}

/// The text of a region's description.
fn text(region: &Region) -> Result<Option<String>, DescriptionError> {
    let look = region.look();
    let mem = look.port().mem();
    let Some(found) = Description::find(mem, look.header())? else { return Ok(None) };
    let mut buffer = vec![0; found.len()];
    Ok(Some(found.read(mem, &mut buffer)?.to_owned()))
}

#[test]
fn the_listing_describes_its_types() {
    let region = Region::from_bytes(&Listing::parse(LISTING).bytes);
    let text = text(&region).expect("a sound block").expect("a description");
    assert_eq!(text, TEXT);
    let all: Vec<DescribedType<'_>> = types(&text).collect();
    assert_eq!((all.len(), all[0].name, all[0].hash()), (1, "Arm", Arm::HASH));
    assert_eq!(all[0].hash(), region.entry("arm").type_hash);
    let remarks: Vec<_> = all[0].notes().map(|note| (note.path, note.remark)).collect();
    assert_eq!(remarks[1], ("joints.angle", Remark::Unit("rad")));
    assert_eq!(remarks[5], ("joints.state", Remark::Value(-2, "type")));
    // And the channels work.
    region.join().typed_producer::<Arm>("arm").expect("the type").try_send(&ARM).expect("space");
}

#[test]
fn without_a_description_a_region_is_what_it_was() {
    let plan = |text| Plan::new(PLAN.channels()).line(4).participants(1).described(text);
    let without = Region::new(&Plan::new(PLAN.channels()).line(4).participants(1));
    assert_eq!(without.bytes(), Region::new(&plan("")).bytes());
    assert_eq!(text(&without), Ok(None));
    assert_eq!([20, 68, 72].map(|at| raw::load(&without.bytes(), at)), [0; 3]);
    // The size is that of the block.
    assert_eq!(PLAN.size() - without.bytes().len(), (8 + TEXT.len()).next_multiple_of(8));
    let longest = "x".repeat(MAX_DESCRIPTION as usize);
    assert!(plan(&longest).try_size().is_ok());
    let longer = longest.clone() + "x";
    assert_eq!(plan(&longer).try_size().unwrap_err().fault, Fault::Description);
}

#[test]
fn what_is_no_type_or_note_is_skipped() {
    let text =
        "nothing\n.a unit b\n=T u32\n.a\n.a unit\n.a value x y\n.a colour red\n.a help  b\nx\n=\n= \n=U u8";
    let all: Vec<_> = types(text).map(|one| (one.name, one.descriptor, one.notes().count())).collect();
    assert_eq!(all, [("T", "u32", 1), ("", "", 0), ("U", "u8", 0)]);
    assert_eq!(types("").count(), 0);
}

fn store(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// FAULT 87: a description that lies is an error, or nonsense in bounds, and its region's channels work all the same.
#[test]
fn fault_87_a_description_that_lies_is_an_error_or_nonsense_in_bounds() {
    let sound = Region::new(&PLAN).bytes();
    let block = raw::load(&sound, 68) as usize;
    let mut rng = Rng::new(seed());
    let (mut errors, mut nonsense) = (0, 0);
    for round in 0..3000 {
        let mut bytes = sound.clone();
        let places = [68, 72, block, block + 4];
        for _ in 0..1 + rng.below(3) {
            let any = [rng.word(), rng.word() % 1024, bytes.len() as u32 - rng.word() % 64][rng.below(3)];
            match rng.below(3) {
                0 => store(&mut bytes, places[rng.below(4)], any),
                _ => bytes[block + 8 + rng.below(TEXT.len())] = any as u8,
            }
        }
        if round % 2 == 0 {
            // Of a liar that knows how to reckon.
            let (at, len) = (block + 8, raw::load(&bytes, block as u32) as usize);
            if let Some(text) = bytes.get(at..at.saturating_add(len)) {
                let crc = raw::crc32c(text);
                store(&mut bytes, block + 4, crc);
            }
        }
        raw::seal(&mut bytes);
        let region = Region::from_bytes(&bytes);
        match text(&region) {
            Err(_) => errors += 1,
            Ok(None) => panic!("the bit was left as it was"),
            Ok(Some(found)) => {
                nonsense += types(&found)
                    .map(|one| 1 + one.notes().count() + usize::from(one.hash() == Arm::HASH))
                    .sum::<usize>();
            }
        }
        region.join().typed_producer::<Arm>("arm").expect("the type").try_send(&ARM).expect("space");
    }
    assert!(errors > 100 && nonsense > 100, "{errors} {nonsense}");
}

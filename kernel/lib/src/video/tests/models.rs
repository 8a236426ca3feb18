//! Properties, for any `screen_info`.

use super::*;
use crate::wire::Wire;
use proptest::prelude::*;

/// Anything at all, and anything that calls itself a framebuffer.
fn any_screen() -> impl Strategy<Value = ScreenInfo> {
    let kind = prop_oneof![Just(ScreenInfo::VIDEO_TYPE_VLFB), Just(ScreenInfo::VIDEO_TYPE_EFI), any::<u8>()];
    let depth = prop_oneof![Just(15), Just(16), Just(24), Just(32), any::<u16>()];
    (any::<[u8; 32]>(), any::<[u8; 32]>(), kind, depth).prop_map(|(first, second, kind, depth)| {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&first);
        bytes[32..].copy_from_slice(&second);
        ScreenInfo {
            orig_video_is_vga: kind,
            lfb_depth: depth,
            ..ScreenInfo::read(&bytes).expect("64 bytes")
        }
    })
}

proptest! {
    #[test]
    fn the_last_pixel_of_a_framebuffer_is_inside_of_it(screen in any_screen()) {
        let Some(Ok(framebuffer)) = Framebuffer::from_screen_info(&screen) else { return Ok(()) };
        let bytes = framebuffer.format.bytes();
        let last = (framebuffer.height - 1) * framebuffer.stride + (framebuffer.width - 1) * bytes;
        prop_assert!(last + bytes <= framebuffer.len());
        prop_assert!(framebuffer.base.checked_add(framebuffer.len() as u64).is_some());
        for colour in DEFAULT_PALETTE {
            let pixel = u64::from(framebuffer.format.encode(colour));
            prop_assert_eq!(pixel >> (bytes * 8), 0);
        }
    }

    #[test]
    fn a_text_mode_fits_its_memory(screen in any_screen()) {
        if let Ok(mode) = TextMode::from_screen_info(&screen) {
            prop_assert!((1..=mode.memory_len() / 2).contains(&(mode.columns * mode.rows)));
            prop_assert_eq!(Kind::of(&screen), None);
        }
    }

    #[test]
    fn any_words_are_understood_or_named(words in "[a-z:,0-9]{0,40}") {
        let mut options = FramebufferOptions::default();
        if let Err(BadOption::Unknown(word) | BadOption::Number(word)) = options.parse(&words) {
            prop_assert!(words.contains(word) && !word.is_empty());
        }
    }
}
